"""Notifications about meetings. Tasks send them, since a club may have thousands of members."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.models import User
from activity.choices import NotificationKind
from clubs.notifications import notify_members
from core.db.locking import batched
from meetings.tasks import notify_promoted_users, purge_deleted_meeting

if TYPE_CHECKING:
    from meetings.models import Meeting

BATCH_SIZE = 500


def notify_created(meeting: Meeting, by: User) -> None:
    """Notify members of a new meeting, or of the first one of a series."""
    if meeting.is_scheduled and not meeting.is_over:
        notify_members(meeting.club_id, NotificationKind.MEETING_NEW, type="meeting", id=meeting.pk, actor=by.pk)


def notify_changed(meeting: Meeting, by: User | None) -> None:
    """Notify members that a meeting was moved, cancelled or deleted, once for each change."""
    key = str(meeting.sequence)
    actor = by.pk if by else None
    notify_members(
        meeting.club_id, NotificationKind.MEETING_CHANGED, type="meeting", id=meeting.pk, actor=actor, key=key
    )


def notify_promoted(meeting: Meeting, users: list[int]) -> None:
    """Notify users who moved from the waitlist to a seat."""
    for part in batched(users, BATCH_SIZE):
        notify_promoted_users.enqueue(meeting=meeting.pk, users=part)


def schedule_purge(meeting: Meeting, *, after: datetime.timedelta) -> None:
    """Schedule the deletion of a deleted meeting's row, for when calendars no longer list it as cancelled."""
    run_after = timezone.now() + after + datetime.timedelta(1)
    purge_deleted_meeting.using(run_after=run_after).enqueue(meeting=meeting.pk)
