"""Home screen."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from activity.choices import NotificationKind
from activity.services import notify
from ballots.models import Ballot
from catalog.models import Book
from clubs.models import Club, Entry, Membership, Progress
from clubs.reading.choices import ReadingPosition, Unit
from tests.clubs.helpers import CLUBS, bring_in

pytestmark = pytest.mark.django_db

HOME = "/api/v1/users/me/home/"


def add_current_book(club, by, title):
    return Entry.add_entry(
        club=club, book=Book.create_book(by=None, title=title, authors=["A"]), by=by, status="reading"
    )


def open_ballot(club, by):
    proposals = [
        Entry.add_entry(club=club, book=Book.create_book(by=None, title=f"Proposal {n}", authors=["A"]), by=by).pk
        for n in range(2)
    ]
    fields = {"method": "approval", "closes_at": timezone.now() + datetime.timedelta(days=1)}
    return Ballot.create_ballot(club=club, by=by, candidates=proposals, title="What next?", **fields)


def create_meeting(client, club, **fields):
    starts_at = (timezone.now() + datetime.timedelta(days=1)).isoformat()
    response = client.post(f"{CLUBS}{club.pk}/meetings/", {"title": "We meet", "starts_at": starts_at} | fields)
    assert response.status_code == 201, response.content
    return response.json()


def test_home_matches_the_detail_responses(club, alice, as_alice, as_bob, bob):
    entry = add_current_book(club, alice, "Emma")
    Progress.set_progress(entry=entry, by=bob, position=ReadingPosition(Unit.PERCENT, Decimal(40), Decimal(100)))
    ballot = open_ballot(club, alice)
    meeting = create_meeting(as_alice, club)
    empty = Club.create_club(by=bob, name="An empty club", visibility="private")
    data = as_bob.get(HOME).json()
    assert data.keys() == {"clubs", "unread_notifications"}
    assert [row["name"] for row in data["clubs"]] == ["An empty club", "Night readers"]
    for row, pk in zip(data["clubs"], (empty.pk, club.pk), strict=True):
        club_data = as_bob.get(f"{CLUBS}{pk}/").json()
        assert row == club_data | {"my_progress": row["my_progress"], "open_ballots": row["open_ballots"]}
    first, second = data["clubs"]
    assert (first["current_entry"], first["my_progress"], first["next_meeting"], first["open_ballots"]) == (
        None, None, None, []
    )  # fmt: skip
    assert second["current_entry"]["id"] == entry.pk
    assert second["my_progress"] == as_bob.get(f"{CLUBS}{club.pk}/books/{entry.pk}/").json()["my_progress"]
    assert second["my_progress"]["percent"] == 40
    assert second["next_meeting"]["id"] == meeting["id"]
    assert second["open_ballots"] == [as_bob.get(f"{CLUBS}{club.pk}/ballots/{ballot.pk}/").json()]
    assert "voters_count" in second["open_ballots"][0]


def test_home_lists_only_joined_clubs_and_open_ballots(club, alice, charlie, as_charlie, as_alice, client_of):
    bring_in(club, charlie, status="pending")
    ballot = open_ballot(club, alice)
    assert as_charlie.get(HOME).json() == {"clubs": [], "unread_notifications": 0}
    assert len(as_alice.get(HOME).json()["clubs"][0]["open_ballots"]) == 1
    Ballot.objects.filter(pk=ballot.pk).update(closes_at=timezone.now())
    assert as_alice.get(HOME).json()["clubs"][0]["open_ballots"] == []


def test_home_counts_unread_notifications(alice, bob, as_alice):
    for _three in range(3):
        notify(NotificationKind.JOIN_REQUEST, [alice.pk], actor=bob.pk)
    assert as_alice.get(HOME).json()["unread_notifications"] == 3
    as_alice.post("/api/v1/users/me/notifications/read/", {"all": True})
    assert as_alice.get(HOME).json()["unread_notifications"] == 0


def test_home_etag_changes_with_content(club, alice, as_bob):
    first = as_bob.get(HOME)
    assert as_bob.get(HOME, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    add_current_book(club, alice, "Emma")
    assert as_bob.get(HOME, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_home_requires_authentication_and_rejects_parameters(anonymous, as_bob):
    assert anonymous.get(HOME).status_code == 401
    assert as_bob.get(f"{HOME}?x=1").status_code == 400
    assert as_bob.head(HOME).status_code == 200
    assert as_bob.post(HOME).status_code == 405


def test_home_query_count_is_constant(alice, bob, as_bob, as_alice, django_assert_num_queries):
    for size in (3, 300):
        for n in range(Club.objects.count(), size):
            club = Club.create_club(by=alice, name=f"Club {n:03}")
            Membership.objects.bulk_create([Membership(club=club, user=bob, status="active")])
            if n < 10 or n % 30 == 0:
                entry = add_current_book(club, alice, f"Book {n}")
                Progress.objects.create(entry=entry, user=bob, percent=1, unit="percent", amount=1, total=100)
                open_ballot(club, alice)
                create_meeting(as_alice, club, repeats={"every": "weekly", "count": 2})
        # Session with user; clubs; owners; current entries; next meetings, their series and own RSVPs; own progress;
        # ballots, candidates and own votes; unread notifications.
        with django_assert_num_queries(12):
            assert len(as_bob.get(HOME).json()["clubs"]) == size
