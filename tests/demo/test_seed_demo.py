"""`manage.py seed_demo`: sample data, and bulk data of any size."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count
from rest_framework.test import APIClient

from accounts.models import User
from ballots.models import Ballot
from clubs.models import Club, Entry, Membership, Milestone, Progress
from clubs.reading.choices import EntryStatus
from discussions.models import Post, Thread
from meetings.date_polls.models import DatePoll
from meetings.models import Meeting, Rsvp
from moderation.models import Case
from stats.charts import build_platform_charts
from tests.clubs.helpers import check_invariants
from tests.clubs.reading.helpers import assert_counted
from tests.discussions.helpers import check_thread_counters
from tests.meetings.helpers import check_seats
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db


def seed(**options: Any) -> str:
    out = io.StringIO()
    call_command("seed_demo", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def books() -> None:
    call_command("load_demo", stdout=io.StringIO())


def check_lists() -> None:
    """Check that positions are 1..n and all counters are correct."""
    for club in Club.objects.all():
        positions = sorted(club.entries.values_list("position", flat=True))
        assert positions == list(range(1, len(positions) + 1))
    assert_counted()
    check_invariants()


@pytest.mark.usefixtures("books")
def test_sample_data_covers_all_features(anonymous: APIClient) -> None:
    seed(password="correct horse battery")
    clubs = anonymous.get("/api/v1/clubs/").json()["results"]
    assert {club["language"] for club in clubs} == {"en", "pt", "pt-BR"}
    assert all(club["current_entry"] and club["members_count"] >= 3 for club in clubs)
    assert Club.objects.filter(visibility="private").count() == 1
    assert set(Entry.objects.values_list("status", flat=True)) == set(EntryStatus.values)
    kinds = Ballot.objects.values_list("method", "status", "outcome").order_by("method", "status", "outcome")
    assert list(kinds) == [
        ("approval", "closed", "no_quorum"),
        ("approval", "open", ""),
        ("ranked", "closed", "winner"),
        ("ranked", "open", ""),
    ]
    assert min(ballot.votes.count() for ballot in Ballot.objects.all()) > 0
    assert all(club["next_meeting"] for club in clubs)
    assert Meeting.objects.attendance() == (18, 3.17)
    assert set(Rsvp.objects.values_list("answer", flat=True)) == {"yes", "maybe", "no", "waitlisted"}
    check_seats()
    check_thread_counters()
    polls = DatePoll.objects.annotate(number=Count("answers")).values_list("status", "number")
    assert {(status, number >= 3) for status, number in polls} == {("open", True)}
    assert len(polls) == Club.objects.count()
    assert {club["id"] for club in clubs} <= set(
        Membership.objects.filter(paused_since__isnull=False).values_list("club", flat=True)
    )
    assert (Thread.objects.count(), Thread.objects.filter(pinned=True).count()) == (10, 3)
    assert set(Thread.objects.filter(closed=True).values_list("title", flat=True)) == {"O Alienista: quem era o louco?"}
    assert Post.objects.filter(spoiler_percent__gte=60).count() >= 5
    check_lists()
    reviews = anonymous.get("/api/v1/reviews/?page_size=100").json()["results"]
    assert {review["language"] for review in reviews} == {"en", "pt-BR"}
    assert sum(review["likes_count"] for review in reviews) >= 5
    assert counter_differences() == (0, [])
    body = {"username": "ana.ribeiro", "password": "correct horse battery"}
    token = anonymous.post("/api/v1/auth/login/", body).json()["access"]
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    club = anonymous.get("/api/v1/clubs/", {"mine": "true", "ordering": "-members_count"}).json()["results"][0]
    page = anonymous.get(f"/api/v1/clubs/{club['id']}/books/{club['current_entry']['id']}/progress/").json()
    assert {row["on_track"] for row in page["results"]} == {True, False}


@pytest.mark.usefixtures("books")
def test_sample_data_is_created_once_without_passwords() -> None:
    assert "6 demo clubs" in seed()
    assert "clubs already" in seed()
    assert Club.objects.count() == 6
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_sample_data_without_books_has_empty_lists() -> None:
    seed()
    assert (Club.objects.count(), Entry.objects.count()) == (6, 0)


def snapshot() -> list[Any]:
    """Return the created data without ids, because sequences continue after a rollback."""
    return [
        list(User.objects.order_by("pk").values_list("username", "display_name", "language", "joined_at")),
        list(Club.objects.order_by("pk").values_list("name", "visibility", "owner__username", "created_at")),
        list(Membership.objects.order_by("pk").values_list("club__name", "user__username", "role", "joined_at")),
        list(Entry.objects.order_by("pk").values_list("club__name", "book__title", "status", "starts_on")),
        list(Milestone.objects.order_by("pk").values_list("entry__book__title", "up_to_percent", "due_on")),
        list(Progress.objects.order_by("pk").values_list("entry__book__title", "user__username", "percent", "hidden")),
    ]


@pytest.mark.usefixtures("books")
def test_same_seed_creates_the_same_data() -> None:
    seen = []
    for number in (7, 7, 8):
        with transaction.atomic():
            assert "clubs: 6" in seed(users=30, clubs=6, seed=number)
            check_lists()
            seen.append(snapshot())
            transaction.set_rollback(True)
    assert seen[0] == seen[1] != seen[2]
    assert [len(rows) for rows in seen[0][:2]] == [30, 6]
    assert all(seen[0])


@pytest.mark.usefixtures("books")
def test_bulk_data_uses_existing_users() -> None:
    seed(users=20)
    seed(clubs=3, seed=2)
    assert (User.objects.count(), Club.objects.count()) == (20, 3)
    seed(users=5, clubs=1, seed=3)
    assert (User.objects.count(), Club.objects.count()) == (25, 4)
    check_lists()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"clubs": 3}, "need users"), ({"users": 3, "clubs": 3}, "and books")],
)
def test_missing_prerequisites_fail_and_roll_back(options: dict[str, int], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        seed(**options)
    assert not User.objects.exists()


@pytest.mark.parametrize("size", ["-1", "many", "10000001"])
def test_invalid_size_is_rejected(size: str) -> None:
    with pytest.raises(CommandError, match="users"):
        call_command("seed_demo", f"--users={size}")


def test_books_option_loads_the_demo_books_first() -> None:
    assert seed(books=True).splitlines() == ["264 demo books loaded.", "6 demo clubs created."]


def test_existing_username_skips_the_demo_cases(make_user: Callable[..., User]) -> None:
    make_user("rita.sampaio")
    seed()
    assert not Case.objects.exists()
    assert not User.objects.filter(is_staff=True).exists()


def test_without_books_only_the_post_is_reported() -> None:
    seed()
    assert list(Case.objects.values_list("target_type", flat=True)) == ["post"]


@pytest.mark.usefixtures("books")
def test_sample_data_covers_a_year_of_charts() -> None:
    seed(password="correct horse battery")
    months = [sum(value > 0 for value in chart.values) for chart in build_platform_charts()]
    assert [found >= wanted for found, wanted in zip(months, (9, 4, 4, 2, 3), strict=True)] == [True] * 5, months
    assert counter_differences() == (0, [])
    check_lists()
