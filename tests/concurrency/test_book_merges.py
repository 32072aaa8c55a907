"""Book merges and undos during writes to both books: no request fails, and counters are right."""

from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book, Merge, MergeStatus
from clubs.models import Club, Entry
from core.api.exceptions import Conflict
from reviews.models import Review
from tests.concurrency.tools import ROUNDS, at_once
from tests.reviews.helpers import counter_differences

Make = Callable[..., User]
V1 = "/api/v1/"


def duplicates(by: User) -> tuple[Book, Book]:
    """Create two books of the same work."""
    first, second = (Book.create_book(by=by, title="Dune", authors=["Frank Herbert"]) for _ in range(2))
    return first, second


def outcome_of(call: Callable[[], Any]) -> Callable[[], str]:
    """Return `done`, or the code of the conflict."""

    def run() -> str:
        try:
            call()
        except Conflict as conflict:
            return str(conflict.code)
        return "done"

    return run


def status(call: Callable[[], Any]) -> Callable[[], int]:
    return lambda: int(call().status_code)


def test_merge_during_reviews_and_list_changes(
    alice: User, bob: User, charlie: User, staff: User, client_of: Callable[[User], APIClient]
) -> None:
    as_alice, as_bob, as_charlie = client_of(alice), client_of(bob), client_of(charlie)

    def play(n: int) -> None:
        target, source = duplicates(alice) if n % 2 else reversed(duplicates(alice))
        club, other = (Club.create_club(by=alice, name=f"{name} {n}") for name in ("Sand", "Spice"))
        entry = Entry.add_entry(club=club, book=source, by=alice)
        written = Review.create_review(book=source, by=alice, rating=4)
        responses = at_once(
            [
                outcome_of(lambda: merge_books(target=target, source=source, by=staff, reason="The same")),
                status(lambda: as_bob.post(f"{V1}reviews/", {"book": source.pk, "rating": 3})),
                status(lambda: as_bob.post(f"{V1}reviews/", {"book": target.pk, "rating": 4})),
                status(lambda: as_charlie.post(f"{V1}reviews/", {"book": source.pk, "rating": 1})),
                status(lambda: as_alice.patch(f"{V1}reviews/{written.pk}/", {"rating": 5})),
                status(lambda: as_alice.post(f"{V1}clubs/{other.pk}/books/", {"book": source.pk, "status": "reading"})),
                status(lambda: as_alice.post(f"{V1}clubs/{club.pk}/books/", {"book": target.pk})),
                status(lambda: as_alice.put(f"{V1}clubs/{club.pk}/books/{entry.pk}/progress/", {"percent": 40})),
            ]
        )
        assert responses[0] == "done"
        assert {*responses[1:]} <= {200, 201, 404, 409}, responses
        assert not Review.objects.filter(book=source).exists()
        assert not Entry.objects.filter(book=source).exists()
        assert Review.objects.filter(book=target, author=bob).count() == 1
        assert Merge.objects.get(target=target).status == MergeStatus.MERGED

    for n in range(ROUNDS):
        play(n)
    assert counter_differences() == (0, [])


def test_simultaneous_merges_allow_one(alice: User, staff: User) -> None:
    def play(_n: int) -> None:
        one, two = duplicates(alice)
        outcomes = at_once(
            [
                outcome_of(lambda: merge_books(target=one, source=two, by=staff, reason="The same")),
                outcome_of(lambda: merge_books(target=two, source=one, by=staff, reason="The same")),
                outcome_of(lambda: merge_books(target=one, source=two, by=staff, reason="The same")),
            ]
        )
        assert outcomes.count("done") == 1
        assert {*outcomes} <= {"done", "book_merged", "merge_underway"}, outcomes

    for n in range(ROUNDS):
        play(n)


def test_simultaneous_undos_allow_one(
    alice: User, bob: User, staff: User, client_of: Callable[[User], APIClient]
) -> None:
    as_alice, as_bob = client_of(alice), client_of(bob)

    def play(n: int) -> None:
        target, source = duplicates(alice) if n % 2 else reversed(duplicates(alice))
        club = Club.create_club(by=alice, name=f"Sand {n}")
        for book, rating in ((source, 2), (target, 8)):
            Review.create_review(book=book, by=alice, rating=rating)
            Entry.add_entry(club=club, book=book, by=alice)
        merge = merge_books(target=target, source=source, by=staff, reason="The same")
        stays = Entry.objects.get(club=club)
        responses = at_once(
            [
                outcome_of(lambda: undo_merge(merge, by=staff, reason="Two works")),
                outcome_of(lambda: undo_merge(Merge.objects.get(pk=merge.pk), by=staff, reason="Two works")),
                status(lambda: as_bob.post(f"{V1}reviews/", {"book": source.pk, "rating": 3})),
                status(lambda: as_alice.patch(f"{V1}clubs/{club.pk}/books/{stays.pk}/", {"status": "planned"})),
                status(lambda: as_alice.put(f"{V1}clubs/{club.pk}/books/{stays.pk}/progress/", {"percent": 40})),
            ]
        )
        assert sorted(responses[:2])[0] == "done"
        assert {*responses[:2]} <= {"done", "not_merged", "merge_underway"}, responses
        assert {*responses[2:]} <= {200, 201, 409}, responses
        merge.refresh_from_db()
        assert merge.status == MergeStatus.UNDONE
        assert Review.objects.filter(author=alice).count() == 2 * (n + 1)
        assert Entry.objects.filter(club=club).count() == 2

    for n in range(ROUNDS):
        play(n)
    assert counter_differences() == (0, [])
