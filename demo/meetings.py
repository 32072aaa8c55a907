"""Demo meetings: past ones with attendance, upcoming ones with RSVPs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from clubs.club.models import Club
from meetings.models import Attendance, Meeting, Rsvp


@dataclass(frozen=True)
class DemoMeeting:
    """A meeting: its titles in Portuguese and English, days from today, local hour and further columns."""

    pt: str
    en: str
    days: int
    hour: int = 19
    fields: dict[str, Any] = field(default_factory=dict)


PAST = (
    DemoMeeting("Primeira conversa", "First talk", -58, 19, {"duration_minutes": 90}),
    DemoMeeting("Meio do caminho", "Half way", -30, 19, {"duration_minutes": 90}),
    DemoMeeting("Café e capítulos", "Coffee and chapters", -9, 16),
)
# The dinner has fewer seats than members, so that one is on the waitlist.
COMING = (
    DemoMeeting("Roda de leitura", "Reading circle", 3, 20, {"repeats": {"every": "weekly", "count": 4}}),
    DemoMeeting("Jantar do clube", "Club dinner", 12, 20, {"capacity": 2, "duration_minutes": 180}),
    DemoMeeting("Conversa em linha", "Online talk", 20, 18, {"url": "https://meet.example.org/book-club"}),
)
CANCELLED = DemoMeeting("Passeio literário", "Literary walk", 8, 10)
ANSWERS = ("yes", "yes", "yes", "no", "maybe")


def create_demo_meetings(club: Club, users: list[User]) -> None:
    """Create the meetings of a club. Upcoming ones are about the current book."""
    entry = club.entries.filter(status="reading").values_list("pk", flat=True).first()
    for number, past in enumerate(PAST):
        there = [user.pk for place, user in enumerate(users) if place != number]
        Attendance.set_attendance(meeting=_plan(club, users[0], past), by=users[0], users=there)
    for coming in COMING:
        meeting = _plan(club, users[0], coming, entry_id=entry)
        for user, answer in zip(users, ANSWERS, strict=False):
            limited = meeting.capacity is not None and answer == "maybe"
            Rsvp.set_rsvp(meeting=meeting, by=user, answer="yes" if limited else answer)
    _plan(club, users[0], CANCELLED, status="cancelled")


def _plan(club: Club, by: User, plan: DemoMeeting, **more: Any) -> Meeting:
    zone = ZoneInfo(club.timezone)
    day = timezone.localdate(timezone=zone) + datetime.timedelta(days=plan.days)
    starts_at = datetime.datetime.combine(day, datetime.time(plan.hour), zone)
    title = plan.pt if club.language.startswith("pt") else plan.en
    return Meeting.create_meeting(club=club, by=by, title=title, starts_at=starts_at, **plan.fields, **more)
