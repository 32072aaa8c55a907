"""Demo meetings: past ones with attendance, upcoming ones with RSVPs, and a date poll."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from clubs.club.models import Club
from meetings.date_polls.models import DatePoll
from meetings.models import Attendance, Meeting, Rsvp


@dataclass(frozen=True)
class DemoMeeting:
    """A meeting: its titles in Portuguese and English, days from today, local hour and further columns."""

    pt: str
    en: str
    days: int
    hour: int = 19
    fields: dict[str, Any] = field(default_factory=dict)


PAST_MEETINGS = (
    DemoMeeting("Primeira conversa", "First talk", -58, 19, {"duration_minutes": 90}),
    DemoMeeting("Meio do caminho", "Half way", -30, 19, {"duration_minutes": 90}),
    DemoMeeting("Café e capítulos", "Coffee and chapters", -9, 16),
)
# The dinner has fewer seats than members, so that one is on the waitlist.
UPCOMING_MEETINGS = (
    DemoMeeting("Roda de leitura", "Reading circle", 3, 20, {"repeats": {"every": "weekly", "count": 4}}),
    DemoMeeting("Jantar do clube", "Club dinner", 12, 20, {"capacity": 2, "duration_minutes": 180}),
    DemoMeeting("Conversa on-line", "Online talk", 20, 18, {"url": "https://meet.example.org/book-club"}),
)
CANCELLED_MEETING = DemoMeeting("Passeio literário", "Literary walk", 8, 10)
# The dates of the poll as days after the first one, and for each member the indexes of the dates that suit them.
POLL = DemoMeeting("Quando falamos do fim?", "When shall we talk about the end?", 24, 19)
POLL_DAYS, POLL_ANSWERS = (0, 2, 3), ((0, 2), (2,), (), (0, 1, 2))
RSVPS = ("yes", "yes", "yes", "no", "maybe")


def create_demo_meetings(club: Club, users: list[User]) -> None:
    """Create the meetings of a club. Upcoming ones are about the current book."""
    entry = club.entries.filter(status="reading").values_list("pk", flat=True).first()
    for number, past in enumerate(PAST_MEETINGS):
        # A different member is absent each time.
        present = [user.pk for index, user in enumerate(users) if index != number]
        Attendance.set_attendance(meeting=_create_meeting(club, users[0], past), by=users[0], users=present)
    for upcoming in UPCOMING_MEETINGS:
        meeting = _create_meeting(club, users[0], upcoming, entry_id=entry)
        for user, rsvp in zip(users, RSVPS, strict=False):
            # With limited seats, `maybe` is not allowed.
            limited = meeting.capacity is not None and rsvp == "maybe"
            Rsvp.set_rsvp(meeting=meeting, by=user, answer="yes" if limited else rsvp)
    _create_meeting(club, users[0], CANCELLED_MEETING, status="cancelled")
    _create_date_poll(club, users, entry_id=entry)


def _create_date_poll(club: Club, users: list[User], **fields: Any) -> None:
    first = _starts_at(club, POLL)
    dates = [first + datetime.timedelta(days=days) for days in POLL_DAYS]
    closes_at = timezone.now().replace(microsecond=0) + datetime.timedelta(days=7)
    poll = DatePoll.create_poll(
        club=club, by=users[0], title=_title(club, POLL), options=dates, closes_at=closes_at, **fields
    )
    options = list(poll.options.order_by("starts_at").values_list("pk", flat=True))
    for user, answer in zip(users, POLL_ANSWERS, strict=False):
        poll.answer(by=user, yes=[options[index] for index in answer], maybe=[])


def _create_meeting(club: Club, by: User, plan: DemoMeeting, **fields: Any) -> Meeting:
    return Meeting.create_meeting(
        club=club, by=by, title=_title(club, plan), starts_at=_starts_at(club, plan), **plan.fields, **fields
    )


def _starts_at(club: Club, plan: DemoMeeting) -> datetime.datetime:
    zone = ZoneInfo(club.timezone)
    day = timezone.localdate(timezone=zone) + datetime.timedelta(days=plan.days)
    return datetime.datetime.combine(day, datetime.time(plan.hour), zone)


def _title(club: Club, plan: DemoMeeting) -> str:
    return plan.pt if club.language.startswith("pt") else plan.en
