"""Notifications about meetings. Tasks send them, since a club may have thousands of members."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.models import User
from activity.kinds import Kind
from bookbridge.api.jobs import enqueue
from bookbridge.api.rows import batches
from clubs.telling import tell_members

if TYPE_CHECKING:
    from clubs.meetings.models import Meeting

# Reminders are sent this many days before a meeting.
REMINDERS = (7, 1)
PART = 500


def planned(meeting: Meeting, by: User) -> None:
    """Notify members of a new meeting, or of the first one of a series."""
    if meeting.is_scheduled and not meeting.is_over:
        tell_members(meeting.club_id, Kind.MEETING_NEW, type="meeting", id=meeting.pk, actor=by.pk)


def changed(meeting: Meeting, by: User | None) -> None:
    """Notify members that a meeting was moved, cancelled or deleted, once for each change."""
    key = str(meeting.sequence)
    actor = by.pk if by else None
    tell_members(meeting.club_id, Kind.MEETING_CHANGED, type="meeting", id=meeting.pk, actor=actor, key=key)


def promoted(meeting: Meeting, users: list[int]) -> None:
    """Notify users who moved from the waitlist to a seat."""
    for part in batches(users, PART):
        enqueue("meetings.promoted", meeting=meeting.pk, users=part)


def arm(meeting: Meeting) -> None:
    """Schedule the next reminder. A reminder is skipped if the meeting has moved in the meantime."""
    if not meeting.is_scheduled:
        return
    for days in REMINDERS:
        at = meeting.starts_at - datetime.timedelta(days)
        if at > timezone.now():
            key = f"meetings.remind:{meeting.pk}:{days}:{meeting.starts_at:%Y%m%dT%H%M%S%f}"
            enqueue(
                "meetings.remind", key=key, at=at, meeting=meeting.pk, days=days, starts=meeting.starts_at.isoformat()
            )
            return


def bury(meeting: Meeting, *, after: datetime.timedelta) -> None:
    """Schedule the deletion of a deleted meeting's row, for when calendars no longer list it as cancelled."""
    enqueue("meetings.bury", at=timezone.now() + after + datetime.timedelta(1), meeting=meeting.pk)
