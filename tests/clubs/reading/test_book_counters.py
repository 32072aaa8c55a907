"""Book counters `clubs_reading` and `clubs_finished`, which count public clubs only."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from tests.clubs.reading.helpers import assert_counted, url
from tests.reviews.helpers import counter_differences

PutOnList = Callable[..., Entry]


@pytest.fixture
def counts(anonymous: APIClient) -> Callable[[Entry], tuple[int, int]]:
    def read(entry: Entry) -> tuple[int, int]:
        stats = anonymous.get(f"/api/v1/books/{entry.book_id}/stats/").json()
        assert_counted()
        return stats["clubs_reading"], stats["clubs_finished"]

    return read


def test_counters_follow_the_status(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, counts: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma")
    seen = []
    for status in ("planned", "reading", "reading", "finished", "reading", "dropped", "planned", "reading", "finished"):
        as_moe.patch(url(club, entry), {"status": status})
        seen.append(counts(entry))
    assert seen == [(0, 0), (1, 0), (1, 0), (0, 1), (1, 0), (0, 0), (0, 0), (1, 0), (0, 1)]
    as_moe.delete(url(club, entry))
    assert counts(entry) == (0, 0)


def test_status_that_is_not_counted_is_no_difference(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, counts: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma")
    for status in ("planned", "reading", "dropped"):
        assert as_moe.patch(url(club, entry), {"status": status}).status_code == 200
        assert counter_differences() == (0, [])
    assert counts(entry) == (0, 0)


def test_private_club_is_not_counted(
    as_moe: APIClient, private_club: Club, put_on_list: PutOnList, counts: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma", to=private_club, status="reading")
    assert counts(entry) == (0, 0)
    as_moe.patch(url(private_club, entry), {"status": "finished"})
    assert counts(entry) == (0, 0)
    as_moe.delete(url(private_club, entry))
    assert counts(entry) == (0, 0)


def test_counters_follow_the_visibility(
    club: Club, alice: User, put_on_list: PutOnList, counts: Callable[[Entry], tuple[int, int]]
) -> None:
    reading, finished = put_on_list("A", status="reading"), put_on_list("B", status="finished")
    put_on_list("C")
    assert (counts(reading), counts(finished)) == ((1, 0), (0, 1))
    club.update_club(by=alice, visibility="private")
    assert (counts(reading), counts(finished)) == ((0, 0), (0, 0))
    club.update_club(by=alice, visibility="private", name="Still")
    club.update_club(by=alice, visibility="public")
    assert (counts(reading), counts(finished)) == ((1, 0), (0, 1))
    club.update_club(by=alice, visibility="public")
    assert counts(reading) == (1, 0)


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_deleted_club_is_not_counted(
    alice: User, put_on_list: PutOnList, counts: Callable[[Entry], tuple[int, int]], visibility: str, club: Club
) -> None:
    deleted = Club.create_club(by=alice, name="Going", visibility=visibility)
    entry = put_on_list("Emma", to=deleted, status="reading")
    Entry.add_entry(club=club, book=entry.book, by=alice, status="reading")
    deleted.delete_club(by=alice)
    assert counts(entry) == (1, 0)
    assert Entry.objects.count() == 1


def test_counters_add_up_over_clubs(
    club: Club, alice: User, put_on_list: PutOnList, counts: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma", status="reading")
    other = Club.create_club(by=alice, name="Other")
    Entry.add_entry(club=other, book=entry.book, by=alice, status="reading")
    assert counts(entry) == (2, 0)


def test_miscounted_finds_a_wrong_counter(put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma", status="reading")
    Book.objects.filter(pk=entry.book_id).update(clubs_reading=5)
    with pytest.raises(AssertionError):
        assert_counted()
