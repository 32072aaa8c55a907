"""`clubs_reading` and `clubs_finished` of a book: public clubs, right at once, and nothing of a private one."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from tests.clubs.reading.helpers import assert_counted, url

PutOnList = Callable[..., Entry]


@pytest.fixture
def figures(anonymous: APIClient) -> Callable[[Entry], tuple[int, int]]:
    def read(entry: Entry) -> tuple[int, int]:
        stats = anonymous.get(f"/api/v1/books/{entry.book_id}/stats/").json()
        assert_counted()
        return stats["clubs_reading"], stats["clubs_finished"]

    return read


def test_a_book_is_counted_on_its_way(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, figures: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma")
    seen = []
    for status in ("planned", "reading", "reading", "finished", "reading", "dropped", "planned", "reading", "finished"):
        as_moe.patch(url(club, entry), {"status": status})
        seen.append(figures(entry))
    assert seen == [(0, 0), (1, 0), (1, 0), (0, 1), (1, 0), (0, 0), (0, 0), (1, 0), (0, 1)]
    as_moe.delete(url(club, entry))
    assert figures(entry) == (0, 0)


def test_a_private_club_shows_through_no_count(
    as_moe: APIClient, private_club: Club, put_on_list: PutOnList, figures: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma", to=private_club, status="reading")
    assert figures(entry) == (0, 0)
    as_moe.patch(url(private_club, entry), {"status": "finished"})
    assert figures(entry) == (0, 0)
    as_moe.delete(url(private_club, entry))
    assert figures(entry) == (0, 0)


def test_the_counts_follow_a_clubs_visibility(
    club: Club, alice: User, put_on_list: PutOnList, figures: Callable[[Entry], tuple[int, int]]
) -> None:
    reading, finished = put_on_list("A", status="reading"), put_on_list("B", status="finished")
    put_on_list("C")
    assert (figures(reading), figures(finished)) == ((1, 0), (0, 1))
    club.change(by=alice, visibility="private")
    assert (figures(reading), figures(finished)) == ((0, 0), (0, 0))
    club.change(by=alice, visibility="private", name="Still")
    club.change(by=alice, visibility="public")
    assert (figures(reading), figures(finished)) == ((1, 0), (0, 1))
    club.change(by=alice, visibility="public")
    assert figures(reading) == (1, 0)


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_a_club_that_goes_is_counted_no_more(
    alice: User, put_on_list: PutOnList, figures: Callable[[Entry], tuple[int, int]], visibility: str, club: Club
) -> None:
    going = Club.found(by=alice, name="Going", visibility=visibility)
    entry = put_on_list("Emma", to=going, status="reading")
    Entry.add(club=club, book=entry.book, by=alice, status="reading")
    going.dissolve(by=alice)
    assert figures(entry) == (1, 0)
    assert Entry.objects.count() == 1


def test_two_clubs_are_two(
    club: Club, alice: User, put_on_list: PutOnList, figures: Callable[[Entry], tuple[int, int]]
) -> None:
    entry = put_on_list("Emma", status="reading")
    other = Club.found(by=alice, name="Other")
    Entry.add(club=other, book=entry.book, by=alice, status="reading")
    assert figures(entry) == (2, 0)


def test_the_recount_finds_what_is_wrong(put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma", status="reading")
    Book.objects.filter(pk=entry.book_id).update(clubs_reading=5)
    with pytest.raises(AssertionError):
        assert_counted()
