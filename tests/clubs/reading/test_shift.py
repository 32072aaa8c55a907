"""Moving the dates of a book."""

import datetime
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Notification
from clubs.models import Club, Entry, Milestone
from core.tasks.worker import run_pending
from meetings.models import Meeting
from tests.clubs.helpers import bad_fields

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(1)


@pytest.fixture
def entry(put_on_list: Any) -> Entry:
    made: Entry = put_on_list("Emma")
    return made


@pytest.fixture
def url(club: Club, entry: Entry) -> str:
    return f"/api/v1/clubs/{club.pk}/books/{entry.pk}/shift/"


@pytest.fixture
def milestones(club: Club, entry: Entry) -> list[Milestone]:
    return [
        Milestone.create_milestone(entry=entry, title=f"Part {n}", up_to_percent=n, due_on=club.today + n * DAY)
        for n in (5, 10, 20)
    ]


def test_shift_moves_milestones_end_and_meetings(
    as_moe: APIClient, alice: User, bob: User, club: Club, entry: Entry, url: str, milestones: list[Milestone]
) -> None:
    today = club.today
    Entry.objects.filter(pk=entry.pk).update(starts_on=today, ends_on=today + 20 * DAY)
    starts = [timezone.now() + datetime.timedelta(days=days) for days in (2, 12, 12)]
    about = [entry.pk, entry.pk, None]
    meetings = [
        Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=at, entry_id=pk)
        for at, pk in zip(starts, about, strict=True)
    ]
    run_pending()
    Notification.objects.all().delete()
    body = {"days": 7, "from": (today + 10 * DAY).isoformat(), "meetings": True}
    response = as_moe.post(url, body)
    assert (response.status_code, response.json()) == (200, {"milestones": 2, "meetings": 1})
    dues = [Milestone.objects.get(pk=row.pk).due_on for row in milestones]
    assert dues == [today + days * DAY for days in (5, 17, 27)]
    entry.refresh_from_db()
    assert entry.ends_on == today + 27 * DAY
    moved = [Meeting.objects.get(pk=row.pk).starts_at - row.starts_at for row in meetings]
    assert moved == [0 * DAY, 7 * DAY, 0 * DAY]
    run_pending()
    told = Notification.objects.filter(user=bob).values_list("kind", "object_id")
    assert list(told) == [("schedule_changed", entry.pk)]


def test_wall_clock_of_meetings_is_kept(as_moe: APIClient, alice: User, club: Club, entry: Entry, url: str) -> None:
    at = datetime.datetime(2027, 3, 26, 18, 0, tzinfo=datetime.UTC)
    meeting = Meeting.create_meeting(
        club=club, by=alice, title="Tea", starts_at=at, timezone="Europe/Berlin", entry_id=entry.pk
    )
    response = as_moe.post(url, {"days": 7, "from": "2027-03-01", "meetings": True})
    assert response.json() == {"milestones": 0, "meetings": 1}
    meeting.refresh_from_db()
    assert meeting.starts_at == datetime.datetime(2027, 4, 2, 17, 0, tzinfo=datetime.UTC)


def test_date_that_cannot_move_moves_nothing(
    as_moe: APIClient, club: Club, entry: Entry, url: str, milestones: list[Milestone]
) -> None:
    today = club.today
    Entry.objects.filter(pk=entry.pk).update(starts_on=today, ends_on=today + 2 * DAY)
    before = list(Milestone.objects.values_list("due_on", flat=True))
    assert bad_fields(as_moe.post(url, {"days": -7, "from": today.isoformat()})) == {"ends_on": "ends_before_start"}
    assert list(Milestone.objects.values_list("due_on", flat=True)) == before
    Milestone.objects.filter(pk=milestones[0].pk).update(due_on="2100-12-31")
    assert bad_fields(as_moe.post(url, {"days": 1, "from": today.isoformat()})) == {"days": "out_of_range"}
    run_pending()
    assert not Notification.objects.filter(kind="schedule_changed").exists()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"days": 0}, {"days": "zero"}),
        ({"days": 366}, {"days": "max_value"}),
        ({"days": -366}, {"days": "min_value"}),
        ({"from": "soon"}, {"from": "invalid"}),
        ({"from": None}, {"from": "null"}),
        ({"meetings": "perhaps"}, {"meetings": "invalid"}),
    ],
)
def test_invalid_body_is_rejected(as_moe: APIClient, url: str, body: Any, errors: dict[str, str]) -> None:
    assert bad_fields(as_moe.post(url, {"days": 1, "from": "2026-12-01"} | body)) == errors


def test_milestone_notice_goes_to_members_who_are_not_past_it(
    as_moe: APIClient, as_bob: APIClient, alice: User, club: Club, entry: Entry, mailoutbox: list[Any]
) -> None:
    Entry.objects.filter(pk=entry.pk).update(status="reading")
    base = f"/api/v1/clubs/{club.pk}/"
    as_bob.put(f"{base}books/{entry.pk}/progress/", {"percent": 50})
    body = {"title": "Half", "up_to_percent": 50, "due_on": (club.today + DAY).isoformat()}
    assert as_moe.post(f"{base}books/{entry.pk}/milestones/", body).status_code == 201
    run_pending()
    told = Notification.objects.filter(kind="milestone_due")
    assert set(told.values_list("user__username", flat=True)) == {"alice", "moe"}
    assert not mailoutbox
