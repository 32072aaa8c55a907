"""Notifications about meetings. Tasks send them, since a club may have thousands of members."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.details import Said, said_time, sayings
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify
from bookbridge.api.jobs import enqueue, every, job
from bookbridge.api.rows import batches
from clubs.meetings.models import CANCELLED_SHOWN, Meeting, Status
from clubs.members.models import Membership
from clubs.telling import tell_members, things, unless

# Reminders are sent this many days before a meeting.
REMINDERS = (7, 1)
PART = 500


def planned(meeting: Meeting, by: User) -> None:
    """Notify members of a new meeting, or of the first one of a series."""
    if meeting.status == Status.SCHEDULED and not meeting.is_over:
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
    if meeting.status != Status.SCHEDULED:
        return
    for days in REMINDERS:
        at = meeting.starts_at - datetime.timedelta(days)
        if at > timezone.now():
            key = f"meetings.remind:{meeting.pk}:{days}:{meeting.starts_at:%Y%m%dT%H%M%S%f}"
            enqueue(
                "meetings.remind", key=key, at=at, meeting=meeting.pk, days=days, starts=meeting.starts_at.isoformat()
            )
            return


def bury(meeting: Meeting) -> None:
    """Schedule the deletion of a deleted meeting's row, for when calendars no longer list it as cancelled."""
    enqueue("meetings.bury", at=timezone.now() + CANCELLED_SHOWN + datetime.timedelta(1), meeting=meeting.pk)


@job("meetings.remind")
def _remind(*, meeting: int, days: int, starts: str) -> None:
    """Remind members who have not answered no, unless the meeting was cancelled or moved."""
    found = Meeting.objects.present().ahead().filter(pk=meeting, status=Status.SCHEDULED).first()
    if found is None or found.settle() or found.starts_at != datetime.datetime.fromisoformat(starts):
        return
    arm(found)
    tell_members(found.club_id, Kind.MEETING_REMINDER, type="meeting", id=meeting, key=f"{days}:{starts}")


@job("meetings.promoted")
def _promoted(*, meeting: int, users: list[int]) -> None:
    found = Meeting.objects.present().filter(pk=meeting).first()
    if found is not None:
        members = Membership.objects.active().filter(club=found.club_id, user__in=users).values_list("user", flat=True)
        still_in = set(members)
        notify(Kind.SEAT_PROMOTED, [user for user in users if user in still_in], thing=found.thing, club=found.club_id)


@job("meetings.bury")
def _bury(*, meeting: int) -> None:
    """Delete the row of a deleted meeting."""
    Meeting.objects.filter(pk=meeting, deleted_at__isnull=False).delete()


@every("meetings.settle", hours=24, atomic=False)
def _resync_timezones() -> None:
    """Recompute upcoming meetings after an update of tzdata has changed the rules of a time zone."""
    Meeting.objects.settle()


def _as_it_is(pk: int) -> tuple[Thing, str | Said] | None:
    """Return a meeting with its time, or with the note that it is cancelled."""
    meeting = Meeting.objects.filter(pk=pk).first()
    if meeting is None:
        return None
    if meeting.deleted_at is not None or meeting.status == Status.CANCELLED:
        return meeting.thing, Said("meeting.cancelled")
    return meeting.thing, said_time(meeting.starts_at, meeting.timezone)


things["meeting"] = _as_it_is
sayings["meeting.cancelled"] = lambda about: _("it is cancelled")


def _declined_users(pk: int) -> Any:
    return Meeting.objects.filter(pk=pk, answers__answer="no").values_list("answers__user", flat=True)


unless[Kind.MEETING_REMINDER] = _declined_users
