"""Merging two books: nothing is lost, counters are right at every moment, and a merge can be undone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, TestCase
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event
from catalog import tasks as catalog_tasks
from catalog.merges import services
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book, Edition, Merge, MergeStatus
from clubs.models import Entry, Milestone, Progress
from clubs.reading.models import EntryChange
from core.api.exceptions import Conflict
from core.audit.models import AuditEntry
from core.tasks.worker import run_pending
from reviews.models import Like, Review
from tests.catalog.merge_tools import World, make_world, snapshot
from tests.clubs.helpers import problem
from tests.reviews.helpers import book_statistics, counter_differences, delete_account

BOOKS = "/api/v1/books/"


@pytest.fixture
def world(alice: User, bob: User, charlie: User) -> World:
    made = make_world(alice, bob, charlie)
    assert counter_differences() == (0, [])
    return made


@pytest.fixture
def merge(world: World, staff: User) -> Merge:
    return merge_books(target=world.target, source=world.source, by=staff, reason="The same work")


def test_merge_moves_all_rows_and_counters(world: World, merge: Merge, anonymous: APIClient) -> None:
    assert merge.status == MergeStatus.MERGED
    for model in (Review, Entry, Edition):
        assert not model._base_manager.filter(book=world.source).exists()
    assert counter_differences() == (0, [])
    assert book_statistics(anonymous, world.target) == (3.0, 2, {"2.0": 1, "4.0": 1})


def test_merge_keeps_the_newer_review_of_a_user(world: World, merge: Merge, alice: User, bob: User) -> None:
    assert Review.objects.get(author=alice, book=world.target).rating == 4
    assert Review.objects.get(author=bob, book=world.target).rating == 8
    assert Like.objects.count() == 1
    assert Review.objects.count() == 3
    source = Event.objects.filter(verb="review.set_aside")
    assert {event.subject_id for event in source} == {alice.pk, bob.pk}


def test_merge_keeps_the_more_advanced_entry(world: World, merge: Merge) -> None:
    entries = list(Entry.objects.filter(club=world.club).order_by("position"))
    assert [entry.position for entry in entries] == [1, 2]
    entry = Entry.objects.get(club=world.club, book=world.target)
    assert entry.status == "reading"
    assert Milestone.objects.get().entry == entry
    assert world.club.threads.get().entry == entry
    assert world.club.meetings.get().entry == entry
    assert {str(row.user): int(row.percent) for row in Progress.objects.filter(entry=entry)} == {
        "alice": 20,
        "bob": 50,
        "charlie": 30,
    }
    ballots = [
        list(b.candidates.order_by("position").values_list("entry", flat=True)) for b in world.club.ballots.all()
    ]
    assert sum(entry.pk in candidates for candidates in ballots) == 2
    assert Entry.objects.get(club=world.secret).book == world.target
    assert EntryChange.objects.filter(club=world.secret, field="book", new=world.target.pk).exists()


def test_undo_restores_all_rows(world: World, staff: User) -> None:
    before = snapshot()
    merge = merge_books(target=world.target, source=world.source, by=staff, reason="The same work")
    assert snapshot() != before
    undo_merge(merge, by=staff, reason="Two works after all")
    after = snapshot()
    assert {name for name in before if before[name] != after[name]} == set()
    assert after == before
    assert counter_differences() == (0, [])
    assert not merge.moved.exists()


def test_undo_leaves_later_rows_with_target(
    world: World, merge: Merge, staff: User, mallory: User, alice: User, client_of: Callable[..., APIClient]
) -> None:
    review = Review.create_review(book=world.target, by=mallory, rating=1)
    Review.objects.get(author=alice).delete_review(by=alice)
    again = Review.create_review(book=world.target, by=alice, rating=3)
    entry = Entry.objects.get(club=world.club, book=world.target)
    entry.update_entry(by=alice, status="finished")
    as_alice = client_of(alice)
    set_progress = as_alice.put(f"/api/v1/clubs/{world.club.pk}/books/{entry.pk}/progress/", {"percent": 100})
    assert set_progress.status_code == 200
    undo_merge(merge, by=staff, reason="Two works after all")
    review.refresh_from_db()
    again.refresh_from_db()
    assert review.book_id == again.book_id == world.target.pk
    assert not Review.objects.filter(author=alice, book=world.source).exists()
    entry.refresh_from_db()
    assert entry.status == "finished"
    assert Entry.objects.get(club=world.club, book=world.source).status == "reading"
    assert Progress.objects.get(entry=entry, user=alice).percent == 100
    assert counter_differences() == (0, [])


def test_merged_book_url_redirects(world: World, merge: Merge, client_of: Any, mallory: User) -> None:
    client = client_of(mallory)
    for tail in ("", "stats/", "reviews/"):
        answer = client.get(f"{BOOKS}{world.source.pk}/{tail}")
        target = {"id": world.target.pk, "title": world.target.title, "author": world.target.author}
        assert problem(answer, 307, "book_merged")["book"] == target | {"cover_url": None}
        assert answer["Location"] == f"{BOOKS}{world.target.pk}/{tail}"
        assert client.get(answer["Location"]).status_code == 200
    problem(client.post(f"{BOOKS}{world.source.pk}/reviews/", {"rating": "nonsense"}), 307, "book_merged")
    answer = client.post(f"{BOOKS}{world.source.pk}/reviews/", {"rating": 4})
    problem(answer, 307, "book_merged")
    written = client.post(answer["Location"], {"rating": 4})
    assert (written.status_code, written.json()["book"]["id"]) == (201, world.target.pk)
    problem(client.get(f"{BOOKS}999999/"), 404, "not_found")


def test_merged_book_id_resolves_to_target(
    world: World, merge: Merge, client_of: Any, mallory: User, alice: User
) -> None:
    written = client_of(mallory).post("/api/v1/reviews/", {"book": world.source.pk, "rating": 4})
    assert (written.status_code, written.json()["book"]["id"]) == (201, world.target.pk)
    listed = client_of(alice).post(f"/api/v1/clubs/{world.club.pk}/books/", {"book": world.source.pk})
    problem(listed, 409, "already_listed")
    found = client_of(None).get("/api/v1/reviews/", {"book": world.source.pk}).json()["results"]
    assert {row["book"]["id"] for row in found} == {world.target.pk}


@pytest.mark.django_db(transaction=True)  # InnoDB indexes words when they are committed
def test_merged_book_is_not_listed(world: World, merge: Merge, anonymous: APIClient) -> None:
    def found(**parameters: str) -> list[int]:
        return [row["id"] for row in anonymous.get(BOOKS, parameters).json()["results"]]

    assert world.source.pk not in found()
    assert found(search="dune") == [world.target.pk]
    assert found(isbn="9780340960196") == [world.target.pk]
    assert anonymous.get("/api/v1/stats/").json()["books"] == 2


def test_merge_invalidates_cached_responses(world: World, staff: User, anonymous: APIClient) -> None:
    address = f"{BOOKS}{world.source.pk}/"
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert anonymous.get(address).status_code == 200
    merge = merge_books(target=world.target, source=world.source, by=staff, reason="The same work")
    assert anonymous.get(address).status_code == 307
    undo_merge(merge, by=staff, reason="Not the same")
    assert anonymous.get(address).json()["title"] == "Dune (Chronicles, #1)"


def test_undo_keeps_copied_field_changed_later(world: World, merge: Merge, staff: User) -> None:
    world.target.refresh_from_db()
    assert world.target.page_count == 600
    world.target.update_book(by=staff, page_count=412)
    undo_merge(merge, by=staff, reason="Not the same")
    world.target.refresh_from_db()
    assert world.target.page_count == 412


def test_stale_instances_write_to_the_merge_target(world: World, mallory: User, alice: User, staff: User) -> None:
    """The rows were read before the merge and are written after it."""
    moved = Review.objects.get(author=alice, book=world.source)
    listed = Entry.objects.get(club=world.secret)
    merge_books(target=world.target, source=world.source, by=staff, reason="The same work")
    moved.update_review(rating=7)
    listed.update_entry(by=alice, status="reading")
    assert Review.create_review(book=world.source, by=mallory, rating=9).book == world.target
    with pytest.raises(Conflict):
        world.source.update_book(by=alice, title="Doon")
    assert counter_differences() == (0, [])


def test_long_merge_continues_as_task(
    world: World, staff: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(staff)

    def text_after(merge: Merge, word: str) -> str:
        """Return the text on the page of a merge from a word up to the full stop."""
        page = client.get(f"/admin/catalog/merge/{merge.pk}/change/").content.decode()
        return page.partition(word)[2].partition(".")[0]

    monkeypatch.setattr(services, "SYNC_SECONDS", -1)
    monkeypatch.setattr(catalog_tasks, "MAX_SECONDS_PER_RUN", -1)
    monkeypatch.setattr(services, "TASK_DELAY", services.TASK_DELAY * 0)
    before = snapshot()
    merge = merge_books(target=world.target, source=world.source, by=staff, reason="The same work")
    assert merge.status == MergeStatus.MERGING
    # The first of two list entries, three reviews and three readings has been moved.
    assert text_after(merge, "still to be moved: ") == "7"
    assert counter_differences() == (0, [])
    with pytest.raises(Conflict) as conflict:
        undo_merge(merge, by=staff, reason="At once")
    assert conflict.value.code == "merge_underway"
    run_pending()
    merge.refresh_from_db()
    assert merge.status == MergeStatus.MERGED
    assert text_after(merge, "still to be moved: ") == ""
    client.post(f"/admin/catalog/merge/{merge.pk}/change/", {"reason": "Two works after all"})
    # Both list entries, the review of an author with no other review, and the readings are left.
    assert text_after(merge, "still to be moved: ") == "6"
    assert "merge was undone" not in client.get("/admin/catalog/merge/").content.decode()
    assert counter_differences() == (0, [])
    run_pending()
    merge.refresh_from_db()
    assert merge.status == MergeStatus.UNDONE
    assert snapshot() == before


def test_merges_are_undone_in_reverse_order(world: World, merge: Merge, staff: User, alice: User) -> None:
    before = snapshot()
    third = Book.create_book(by=alice, title="Dune 3", authors=["Frank Herbert"])
    started = snapshot()
    second = merge_books(target=third, source=world.target, by=staff, reason="Again")
    with pytest.raises(Conflict) as conflict:
        undo_merge(merge, by=staff, reason="The first")
    assert conflict.value.code == "merged_since"
    assert Book.objects.resolve_id(world.source.pk) == third.pk
    undo_merge(second, by=staff, reason="The last")
    assert snapshot() == started
    third.delete_book(by=staff)
    assert snapshot() == before
    undo_merge(merge, by=staff, reason="The first")
    with pytest.raises(Conflict) as twice:
        undo_merge(merge, by=staff, reason="The first")
    assert twice.value.code == "not_merged"


def test_invalid_merges_are_conflicts(world: World, merge: Merge, staff: User, alice: User) -> None:
    for target, source, code in (
        (world.target, world.target, "same_book"),
        (world.source, world.target, "book_merged"),
        (world.target, world.source, "book_merged"),
    ):
        with pytest.raises(Conflict) as conflict:
            merge_books(target=target, source=source, by=staff, reason="Once more")
        assert conflict.value.code == code
    free = Book.create_book(by=alice, title="Free", authors=["A"])
    target = merge_books(
        target=free, source=Book.create_book(by=alice, title="Free", authors=["A"]), by=staff, reason="x"
    ).target
    with pytest.raises(Conflict) as used:
        target.delete_book(by=alice)
    assert used.value.code == "book_in_use"


def test_merge_and_undo_are_logged(world: World, merge: Merge, staff: User) -> None:
    undo_merge(merge, by=staff, reason="Two works after all")
    entries = AuditEntry.objects.filter(verb__startswith="book.").order_by("pk")
    assert [(row.verb, row.actor, row.reason) for row in entries] == [
        ("book.merged", staff.pk, "The same work"),
        ("book.unmerged", staff.pk, "Two works after all"),
    ]
    named = Event.objects.filter(verb__in=("book.merged", "book.unmerged"), actor=staff)
    assert [event.object_id for event in named.order_by("pk")] == [world.target.pk, world.target.pk]


def test_account_deletion_removes_archived_reviews(world: World, merge: Merge, bob: User, staff: User) -> None:
    delete_account(bob, anonymize=True)
    assert counter_differences() == (0, [])
    undo_merge(merge, by=staff, reason="Two works after all")
    assert not Review.objects.filter(book=world.source, rating=2).exists()
    assert Review.objects.filter(book=world.target, author=None).count() == 1
    assert counter_differences() == (0, [])


def test_undo_returns_reviews_of_users_with_no_other(anonymous: APIClient, alice: User, staff: User) -> None:
    target, source = (Book.create_book(by=alice, title="Dune", authors=["Frank Herbert"]) for _ in range(2))
    review = Review.create_review(book=source, by=alice, rating=8)
    merge = merge_books(target=target, source=source, by=staff, reason="The same work")
    undo_merge(merge, by=staff, reason="Two works after all")
    assert anonymous.get(f"/api/v1/reviews/{review.pk}/").json()["book"]["id"] == source.pk
