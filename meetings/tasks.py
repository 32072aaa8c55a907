"""Tasks of meetings, and the functions that schedule them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils import timezone

from activity.choices import NotificationKind
from core.db.locking import batched
from core.tasks.decorators import periodic_task, task
from meetings import notifications

if TYPE_CHECKING:
    from meetings.models import Meeting
    from meetings.querysets import MeetingQuerySet

# Days before a meeting on which its members are reminded.
REMINDER_DAYS = (7, 1)
# Users notified by one task.
BATCH_SIZE = 500


def _meetings() -> MeetingQuerySet:
    """Return all meetings. The model is not imported, because its module imports this one."""
    return apps.get_model("meetings", "Meeting")._default_manager.all()


def schedule_reminder(meeting: Meeting) -> None:
    """Schedule the next reminder. An outdated one stays scheduled, and is skipped when it is due."""
    if not meeting.is_scheduled:
        return
    for days in REMINDER_DAYS:
        at = meeting.starts_at - datetime.timedelta(days)
        if at > timezone.now():
            send_reminder.using(run_after=at).enqueue(
                meeting_id=meeting.pk, days=days, starts=meeting.starts_at.isoformat()
            )
            return


def schedule_seat_notices(meeting: Meeting, kind: str, users: list[int]) -> None:
    """Schedule the notifications of users on the waitlist about seats that have become free."""
    for batch in batched(users, BATCH_SIZE):
        notify_waitlisted_users.enqueue(meeting_id=meeting.pk, user_ids=batch, kind=str(kind))


def schedule_purge(meeting: Meeting, *, after: datetime.timedelta) -> None:
    """Schedule the deletion of a deleted meeting's row, for when calendars no longer list it as cancelled."""
    run_after = timezone.now() + after + datetime.timedelta(days=1)
    purge_deleted_meeting.using(run_after=run_after).enqueue(meeting_id=meeting.pk)


@task(unique=True)
def send_reminder(*, meeting_id: int, days: int, starts: str) -> None:
    """Send a reminder and schedule the next one, unless the meeting is cancelled or has been rescheduled."""
    meeting = _meetings().not_deleted().upcoming().filter(pk=meeting_id).first()
    if (
        meeting is None
        or not meeting.is_scheduled
        or meeting.resync_timezone()
        or meeting.starts_at != datetime.datetime.fromisoformat(starts)
    ):
        return
    schedule_reminder(meeting)
    notifications.notify_reminder(meeting, key=f"{days}:{starts}")


@task()
def notify_waitlisted_users(*, meeting_id: int, user_ids: list[int], kind: str) -> None:
    """Notify users on the waitlist that they got a seat, or that a seat is free."""
    meeting = _meetings().not_deleted().filter(pk=meeting_id).first()
    if meeting is not None:
        notifications.notify_waitlist(meeting, NotificationKind(kind), user_ids)


@task()
def purge_deleted_meeting(*, meeting_id: int) -> None:
    """Delete the row of a meeting that was deleted."""
    _meetings().filter(pk=meeting_id, deleted_at__isnull=False).delete()


@periodic_task(hours=24, atomic=False, bulk=True)
def resync_meetings() -> None:
    """Keep future meetings at their local time when a new version of tzdata changes the rules of a time zone."""
    _meetings().resync_timezones()
