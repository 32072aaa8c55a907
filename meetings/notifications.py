"""Recipients and content of notifications about meetings. `meetings.tasks` decides when reminders are sent."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from accounts.models import User
from activity.choices import NotificationKind
from activity.services import notify
from clubs.members.models import Membership
from clubs.notifications import notify_members
from meetings.messages import change_message, in_series, meeting_message, new_series

if TYPE_CHECKING:
    from meetings.models import Meeting


def notify_created(meeting: Meeting, by: User | None, *, later: int = 0) -> None:
    """Notify members of a new meeting, or of a series with so many `later` ones."""
    if meeting.is_scheduled and not meeting.is_over:
        series = meeting.series
        notify_members(
            meeting.club_id,
            NotificationKind.MEETING_NEW,
            type="meeting",
            id=meeting.pk,
            actor=by.pk if by else None,
            detail=new_series(meeting_message(meeting), later, series.every) if series and later else None,
        )


def notify_changed(meeting: Meeting, by: User | None, *, was: tuple[datetime.datetime, str], later: int = 0) -> None:
    """Notify members that a meeting was moved, cancelled or deleted, once for each change.

    `was` is its former time, and the time zone; `later` meetings of its series changed with it. As long as answers are
    from before the meeting was rescheduled, the text asks for new ones.
    """
    asks = meeting.rsvps.filter(before_change=True).exists()
    notify_members(
        meeting.club_id,
        NotificationKind.MEETING_CHANGED,
        type="meeting",
        id=meeting.pk,
        actor=by.pk if by else None,
        key=str(meeting.sequence),
        detail=in_series(change_message(meeting, was=was, asks=asks), later),
    )


def notify_reminder(meeting: Meeting, *, key: str) -> None:
    """Remind the members who have not declined, once for each `key`."""
    notify_members(meeting.club_id, NotificationKind.MEETING_REMINDER, type="meeting", id=meeting.pk, key=key)


def notify_unanswered(meeting: Meeting, *, key: str) -> None:
    """Ask the members who have not answered, once for each `key`."""
    notify_members(meeting.club_id, NotificationKind.RSVP_REMINDER, type="meeting", id=meeting.pk, key=key)


def notify_waitlist(meeting: Meeting, kind: NotificationKind, users: list[int]) -> None:
    """Notify those users of the waitlist who are still members, in this order."""
    members = Membership.objects.active().filter(club=meeting.club_id, user__in=users)
    active = set(members.values_list("user", flat=True))
    recipients = [user for user in users if user in active]
    notify(kind, recipients, object_ref=meeting.object_ref, club=meeting.club_id, detail=meeting_message(meeting))
