"""Notifications about meetings: sent by tasks, since a club may have thousands of members."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.details import Said, said_time, sayings
from activity.kinds import Kind
from activity.models import Thing
from bookbridge.api.rows import batches
from clubs.meetings.models import CANCELLED_SHOWN, Meeting, Status
from clubs.meetings.tasks import arm as arm
from clubs.meetings.tasks import notify_promoted_users, purge_deleted_meeting
from clubs.telling import tell_members, things, unless

PART = 500


def planned(meeting: Meeting, by: User) -> None:
    """Tell of a new meeting, or of the first one of a series."""
    if meeting.status == Status.SCHEDULED and not meeting.is_over:
        tell_members(meeting.club_id, Kind.MEETING_NEW, type="meeting", id=meeting.pk, actor=by.pk)


def changed(meeting: Meeting, by: User | None) -> None:
    """Tell that a meeting has another time or place, or will not be; of each change once."""
    key = str(meeting.sequence)
    actor = by.pk if by else None
    tell_members(meeting.club_id, Kind.MEETING_CHANGED, type="meeting", id=meeting.pk, actor=actor, key=key)


def promoted(meeting: Meeting, users: list[int]) -> None:
    """Tell those who have got a seat."""
    for part in batches(users, PART):
        notify_promoted_users.enqueue(meeting=meeting.pk, users=part)


def bury(meeting: Meeting) -> None:
    """Have the row of a removed meeting deleted once calendars have been told."""
    run_after = timezone.now() + CANCELLED_SHOWN + datetime.timedelta(1)
    purge_deleted_meeting.using(run_after=run_after).enqueue(meeting=meeting.pk)


def _as_it_is(pk: int) -> tuple[Thing, str | Said] | None:
    """A meeting, and when it is, or that it is cancelled."""
    meeting = Meeting.objects.filter(pk=pk).first()
    if meeting is None:
        return None
    if meeting.deleted_at is not None or meeting.status == Status.CANCELLED:
        return meeting.thing, Said("meeting.cancelled")
    return meeting.thing, said_time(meeting.starts_at, meeting.timezone)


things["meeting"] = _as_it_is
sayings["meeting.cancelled"] = lambda about: _("it is cancelled")


def _who_said_no(pk: int) -> Any:
    return Meeting.objects.filter(pk=pk, answers__answer="no").values_list("answers__user", flat=True)


unless[Kind.MEETING_REMINDER] = _who_said_no
