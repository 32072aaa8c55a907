"""Tasks of meetings: reminders, news of seats, and what is done daily."""

from __future__ import annotations

import datetime

from activity.kinds import Kind
from activity.services import notify
from bookbridge.api.jobs import every, job
from clubs.meetings.models import Meeting, Status
from clubs.meetings.telling import arm
from clubs.members.models import Membership
from clubs.telling import tell_members


@job("meetings.remind")
def _remind(*, meeting: int, days: int, starts: str) -> None:
    """Remind those who have not said no, unless the meeting is cancelled or at another time by now."""
    found = Meeting.objects.present().ahead().filter(pk=meeting, status=Status.SCHEDULED).first()
    if found is None or found.settle() or found.starts_at != datetime.datetime.fromisoformat(starts):
        return
    arm(found)
    tell_members(found.club_id, Kind.MEETING_REMINDER, type="meeting", id=meeting, key=f"{days}:{starts}")


@job("meetings.promoted")
def _promoted(*, meeting: int, users: list[int]) -> None:
    """Tell them."""
    found = Meeting.objects.present().filter(pk=meeting).first()
    if found is not None:
        members = Membership.objects.active().filter(club=found.club_id, user__in=users).values_list("user", flat=True)
        still_in = set(members)
        notify(Kind.SEAT_PROMOTED, [user for user in users if user in still_in], thing=found.thing, club=found.club_id)


@job("meetings.bury")
def _bury(*, meeting: int) -> None:
    """Delete the row, if the meeting was removed."""
    Meeting.objects.filter(pk=meeting, deleted_at__isnull=False).delete()


@every("meetings.settle", hours=24, atomic=False)
def _settle() -> None:
    """Let meetings to come follow their wall clocks, where a new tzdata has changed the rules of a zone."""
    Meeting.objects.settle()
