"""Reminders, promotions from the waitlist, and upkeep of meetings."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils import timezone

from activity.choices import NotificationKind
from activity.services import notify
from clubs.members.models import Membership
from clubs.notifications import notify_members
from core.tasks.decorators import periodic_task, task

if TYPE_CHECKING:
    from meetings.models import Meeting, MeetingQuerySet

# Days before a meeting on which its members are reminded.
REMINDER_DAYS = (7, 1)


def _meetings() -> MeetingQuerySet:
    """Return all meetings. The model's module imports this one."""
    return apps.get_model("meetings", "Meeting")._default_manager.all()


def schedule_reminder(meeting: Meeting) -> None:
    """Schedule the next reminder. One of a time that the meeting no longer has is skipped when it is due."""
    if not meeting.is_scheduled:
        return
    for days in REMINDER_DAYS:
        at = meeting.starts_at - datetime.timedelta(days)
        if at > timezone.now():
            send_reminder.using(run_after=at).enqueue(
                meeting=meeting.pk, days=days, starts=meeting.starts_at.isoformat()
            )
            return


@task(unique=True)
def send_reminder(*, meeting: int, days: int, starts: str) -> None:
    """Remind the members who have not declined, unless the meeting is cancelled or has been rescheduled."""
    found = _meetings().not_deleted().upcoming().filter(pk=meeting).first()
    if (
        found is None
        or not found.is_scheduled
        or found.resync_timezones()
        or found.starts_at != datetime.datetime.fromisoformat(starts)
    ):
        return
    schedule_reminder(found)
    notify_members(found.club_id, NotificationKind.MEETING_REMINDER, type="meeting", id=meeting, key=f"{days}:{starts}")


@task()
def notify_promoted_users(*, meeting: int, users: list[int]) -> None:
    """Notify the users who got a seat from the waitlist and are still members."""
    found = _meetings().not_deleted().filter(pk=meeting).first()
    if found is not None:
        members = Membership.objects.active().filter(club=found.club_id, user__in=users).values_list("user", flat=True)
        still_in = set(members)
        notify(
            NotificationKind.SEAT_PROMOTED,
            [user for user in users if user in still_in],
            object_ref=found.object_ref,
            club=found.club_id,
        )


@task()
def purge_deleted_meeting(*, meeting: int) -> None:
    """Delete the row of a meeting that was deleted."""
    _meetings().filter(pk=meeting, deleted_at__isnull=False).delete()


@periodic_task(hours=24, atomic=False)
def resync_meetings() -> None:
    """Keep future meetings at their local time when a new tzdata changes the rules of a time zone."""
    _meetings().resync_timezones()
