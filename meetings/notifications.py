"""Recipients and content of notifications about meetings. `meetings.tasks` decides when reminders are sent."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from accounts.models import User
from activity.choices import NotificationKind
from activity.services import notify
from clubs.members.models import Membership
from clubs.notifications import notify_members
from meetings.messages import change_message, in_series, meeting_message, new_series

if TYPE_CHECKING:
    from meetings.models import Meeting


def notify_created(meeting: Meeting, by: User | None, *, later: int = 0) -> None:
    """Notify members of a new meeting, or of a new series that has `later` meetings after this one."""
    if meeting.is_scheduled and not meeting.is_over:
        series = meeting.series
        detail = new_series(meeting_message(meeting), later, series.every) if series and later else None
        _notify_members(meeting, NotificationKind.MEETING_NEW, by, detail=detail)


def notify_changed(meeting: Meeting, by: User | None, *, was: tuple[datetime.datetime, str], later: int = 0) -> None:
    """Notify members that a meeting was moved, cancelled or deleted, once for each change.

    `was` is its former time and time zone, `later` the number of later meetings of its series that changed too. If some
    answers date from before the meeting was rescheduled, the text asks for new ones.
    """
    asks = meeting.rsvps.filter(before_change=True).exists()
    detail = in_series(change_message(meeting, was=was, asks=asks), later)
    _notify_members(meeting, NotificationKind.MEETING_CHANGED, by, key=str(meeting.sequence), detail=detail)


def notify_reminder(meeting: Meeting, *, key: str) -> None:
    """Remind the members who have not declined, once for each `key`."""
    _notify_members(meeting, NotificationKind.MEETING_REMINDER, key=key)


def notify_unanswered(meeting: Meeting, *, key: str) -> None:
    """Ask the members who have not answered, once for each `key`."""
    _notify_members(meeting, NotificationKind.RSVP_REMINDER, key=key)


def notify_waitlist(meeting: Meeting, kind: NotificationKind, users: list[int]) -> None:
    """Notify those users of the waitlist who are still members, in this order."""
    members = Membership.objects.active().filter(club=meeting.club_id, user__in=users)
    active = set(members.values_list("user", flat=True))
    recipients = [user for user in users if user in active]
    notify(kind, recipients, object_ref=meeting.object_ref, club=meeting.club_id, detail=meeting_message(meeting))


def _notify_members(meeting: Meeting, kind: NotificationKind, by: User | None = None, **options: Any) -> None:
    actor = by.pk if by else None
    notify_members(meeting.club_id, kind, type="meeting", id=meeting.pk, actor=actor, **options)
