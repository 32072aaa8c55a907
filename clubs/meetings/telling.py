"""Notifications about meetings. Tasks send them, since a club may have thousands of members."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.models import User
from activity.kinds import Kind
from bookbridge.api.rows import batches
from clubs.meetings.tasks import arm as arm
from clubs.meetings.tasks import notify_promoted_users, purge_deleted_meeting
from clubs.telling import tell_members

if TYPE_CHECKING:
    from clubs.meetings.models import Meeting

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
        notify_promoted_users.enqueue(meeting=meeting.pk, users=part)


def bury(meeting: Meeting, *, after: datetime.timedelta) -> None:
    """Schedule the deletion of a deleted meeting's row, for when calendars no longer list it as cancelled."""
    run_after = timezone.now() + after + datetime.timedelta(1)
    purge_deleted_meeting.using(run_after=run_after).enqueue(meeting=meeting.pk)
