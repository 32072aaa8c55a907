"""Two books become one work: nothing is lost, every figure is right at once, and it can be undone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, TestCase
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event
from bookbridge.api.audit.models import AuditEntry
from bookbridge.api.errors import Conflict
from bookbridge.api.tasks.worker import run_pending
from catalog import tasks as catalog_tasks
from catalog.merging import services
from catalog.merging.models import Merge, State
from catalog.merging.services import merge_books, undo_merge
from catalog.models import Book, Edition
from clubs.models import Entry, Milestone, Progress
from clubs.reading.models import EntryChange
from reviews.models import Like, Review
from tests.catalog.merge_tools import World, make_world, picture
from tests.clubs.helpers import problem
from tests.reviews.helpers import close, differences, figures

BOOKS = "/api/v1/books/"


@pytest.fixture
def world(alice: User, bob: User, charlie: User) -> World:
    made = make_world(alice, bob, charlie)
    assert differences() == (0, [])
    return made


@pytest.fixture
def merge(world: World, staff: User) -> Merge:
    return merge_books(kept=world.kept, gone=world.gone, by=staff, reason="The same work")


def test_nothing_refers_to_the_book_that_goes_and_every_figure_is_right(
    world: World, merge: Merge, anonymous: APIClient
) -> None:
    assert merge.state == State.MERGED
    for model in (Review, Entry, Edition):
        assert not model._base_manager.filter(book=world.gone).exists()
    assert differences() == (0, [])
    assert figures(anonymous, world.kept) == (3.0, 2, {"2.0": 1, "4.0": 1})


def test_of_two_reviews_by_one_reader_the_newer_stays(world: World, merge: Merge, alice: User, bob: User) -> None:
    assert Review.objects.get(author=alice, book=world.kept).rating == 4
    assert Review.objects.get(author=bob, book=world.kept).rating == 8
    assert Like.objects.count() == 1
    assert Review.objects.count() == 3
    gone = Event.objects.filter(verb="review.set_aside")
    assert {event.subject_id for event in gone} == {alice.pk, bob.pk}


def test_a_list_with_both_keeps_one_entry_in_the_status_further_on_with_what_belonged_to_the_other(
    world: World, merge: Merge
) -> None:
    entries = list(Entry.objects.filter(club=world.club).order_by("position"))
    assert [entry.position for entry in entries] == [1, 2]
    entry = Entry.objects.get(club=world.club, book=world.kept)
    assert entry.status == "reading"
    assert Milestone.objects.get().entry == entry
    assert world.club.threads.get().entry == entry
    assert world.club.meetings.get().entry == entry
    assert {str(mark.user): int(mark.percent) for mark in Progress.objects.filter(entry=entry)} == {
        "alice": 20,
        "bob": 50,
        "charlie": 30,
    }
    ballots = [list(b.candidates.order_by("place").values_list("entry", flat=True)) for b in world.club.ballots.all()]
    assert sum(entry.pk in candidates for candidates in ballots) == 2
    assert Entry.objects.get(club=world.secret).book == world.kept
    assert EntryChange.objects.filter(club=world.secret, field="book", new=world.kept.pk).exists()


def test_undoing_it_brings_back_every_row_as_it_was(world: World, staff: User) -> None:
    before = picture()
    merge = merge_books(kept=world.kept, gone=world.gone, by=staff, reason="The same work")
    assert picture() != before
    undo_merge(merge, by=staff, reason="Two works after all")
    after = picture()
    assert {name for name in before if before[name] != after[name]} == set()
    assert after == before
    assert differences() == (0, [])
    assert not merge.moved.exists()


def test_what_was_written_since_stays_with_the_kept_book(
    world: World, merge: Merge, staff: User, mallory: User, alice: User, client_of: Callable[..., APIClient]
) -> None:
    review = Review.write(book=world.kept, by=mallory, rating=1)
    Review.objects.get(author=alice).remove(by=alice)
    again = Review.write(book=world.kept, by=alice, rating=3)
    entry = Entry.objects.get(club=world.club, book=world.kept)
    entry.change(by=alice, status="finished")
    as_alice = client_of(alice)
    set_mark = as_alice.put(f"/api/v1/clubs/{world.club.pk}/books/{entry.pk}/progress/", {"percent": 100})
    assert set_mark.status_code == 200
    undo_merge(merge, by=staff, reason="Two works after all")
    review.refresh_from_db()
    again.refresh_from_db()
    assert review.book_id == again.book_id == world.kept.pk
    assert not Review.objects.filter(author=alice, book=world.gone).exists()
    entry.refresh_from_db()
    assert entry.status == "finished"
    assert Entry.objects.get(club=world.club, book=world.gone).status == "reading"
    assert Progress.objects.get(entry=entry, user=alice).percent == 100
    assert differences() == (0, [])


def test_the_old_address_leads_on(world: World, merge: Merge, client_of: Any, mallory: User) -> None:
    client = client_of(mallory)
    for tail in ("", "stats/", "reviews/"):
        answer = client.get(f"{BOOKS}{world.gone.pk}/{tail}")
        assert problem(answer, 307, "book_merged")["book"] == world.kept.pk
        assert answer["Location"] == f"{BOOKS}{world.kept.pk}/{tail}"
        assert client.get(answer["Location"]).status_code == 200
    answer = client.post(f"{BOOKS}{world.gone.pk}/reviews/", {"rating": 4})
    problem(answer, 307, "book_merged")
    written = client.post(answer["Location"], {"rating": 4})
    assert (written.status_code, written.json()["book"]["id"]) == (201, world.kept.pk)
    problem(client.get(f"{BOOKS}999999/"), 404, "not_found")


def test_an_old_id_in_a_body_or_a_filter_stands_for_the_kept_book(
    world: World, merge: Merge, client_of: Any, mallory: User, alice: User
) -> None:
    written = client_of(mallory).post("/api/v1/reviews/", {"book": world.gone.pk, "rating": 4})
    assert (written.status_code, written.json()["book"]["id"]) == (201, world.kept.pk)
    listed = client_of(alice).post(f"/api/v1/clubs/{world.club.pk}/books/", {"book": world.gone.pk})
    problem(listed, 409, "already_listed")
    found = client_of(None).get("/api/v1/reviews/", {"book": world.gone.pk}).json()["results"]
    assert {row["book"]["id"] for row in found} == {world.kept.pk}


@pytest.mark.django_db(transaction=True)  # InnoDB finds words once they are committed
def test_it_is_in_no_list_and_its_isbn_finds_the_kept_one(world: World, merge: Merge, anonymous: APIClient) -> None:
    def found(**parameters: str) -> list[int]:
        return [row["id"] for row in anonymous.get(BOOKS, parameters).json()["results"]]

    assert world.gone.pk not in found()
    assert found(search="dune") == [world.kept.pk]
    assert found(isbn="9780340960196") == [world.kept.pk]
    assert anonymous.get("/api/v1/stats/").json()["books"] == 2


def test_a_kept_answer_of_either_book_is_not_given_again(world: World, staff: User, anonymous: APIClient) -> None:
    address = f"{BOOKS}{world.gone.pk}/"
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert anonymous.get(address).status_code == 200
    merge = merge_books(kept=world.kept, gone=world.gone, by=staff, reason="The same work")
    assert anonymous.get(address).status_code == 307
    undo_merge(merge, by=staff, reason="Not the same")
    assert anonymous.get(address).json()["title"] == "Dune (Chronicles, #1)"


def test_the_kept_book_learns_what_it_did_not_know_until_somebody_says_otherwise(
    world: World, merge: Merge, staff: User
) -> None:
    world.kept.refresh_from_db()
    assert world.kept.page_count == 600
    world.kept.change(by=staff, page_count=412)
    undo_merge(merge, by=staff, reason="Not the same")
    world.kept.refresh_from_db()
    assert world.kept.page_count == 412


def test_who_has_what_in_hand_of_the_book_that_goes_writes_to_the_kept_one(
    world: World, mallory: User, alice: User, staff: User
) -> None:
    """As whoever read a row before the merge and writes after it."""
    moved = Review.objects.get(author=alice, book=world.gone)
    listed = Entry.objects.get(club=world.secret)
    merge_books(kept=world.kept, gone=world.gone, by=staff, reason="The same work")
    moved.change(rating=7)
    listed.change(by=alice, status="reading")
    assert Review.write(book=world.gone, by=mallory, rating=9).book == world.kept
    with pytest.raises(Conflict):
        world.gone.change(by=alice, title="Doon")
    assert differences() == (0, [])


def test_a_long_merge_goes_on_as_a_job(
    world: World, staff: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(staff)

    def told(merge: Merge, word: str) -> str:
        """What the page of a merge says after a word, up to the full stop."""
        page = client.get(f"/admin/catalog/merge/{merge.pk}/change/").content.decode()
        return page.partition(word)[2].partition(".")[0]

    monkeypatch.setattr(services, "AT_ONCE_SECONDS", -1)
    monkeypatch.setattr(catalog_tasks, "JOB_SECONDS", -1)
    monkeypatch.setattr(services, "JOB_AFTER", services.JOB_AFTER * 0)
    before = picture()
    merge = merge_books(kept=world.kept, gone=world.gone, by=staff, reason="The same work")
    assert merge.state == State.MERGING
    # Of two lists and three reviews the first list is done.
    assert told(merge, "still to be moved: ") == "4"
    assert differences() == (0, [])
    with pytest.raises(Conflict) as refused:
        undo_merge(merge, by=staff, reason="At once")
    assert refused.value.code == "merge_underway"
    run_pending()
    merge.refresh_from_db()
    assert merge.state == State.MERGED
    assert told(merge, "still to be moved: ") == ""
    client.post(f"/admin/catalog/merge/{merge.pk}/change/", {"reason": "Two works after all"})
    # Both lists, and a review whose author has no other: the rest is back.
    assert told(merge, "still to be moved: ") == "3"
    assert "two books again" not in client.get("/admin/catalog/merge/").content.decode()
    assert differences() == (0, [])
    run_pending()
    merge.refresh_from_db()
    assert merge.state == State.UNDONE
    assert picture() == before


def test_merges_are_undone_the_last_one_first(world: World, merge: Merge, staff: User, alice: User) -> None:
    before = picture()
    third = Book.add(by=alice, title="Dune 3", authors=["Frank Herbert"])
    started = picture()
    second = merge_books(kept=third, gone=world.kept, by=staff, reason="Again")
    with pytest.raises(Conflict) as refused:
        undo_merge(merge, by=staff, reason="The first")
    assert refused.value.code == "merged_since"
    assert Book.objects.survivor(world.gone.pk) == third.pk
    undo_merge(second, by=staff, reason="The last")
    assert picture() == started
    third.remove(by=staff)
    assert picture() == before
    undo_merge(merge, by=staff, reason="The first")
    with pytest.raises(Conflict) as twice:
        undo_merge(merge, by=staff, reason="The first")
    assert twice.value.code == "not_merged"


def test_a_book_is_merged_once_and_not_with_itself(world: World, merge: Merge, staff: User, alice: User) -> None:
    for kept, gone, code in (
        (world.kept, world.kept, "same_book"),
        (world.gone, world.kept, "book_merged"),
        (world.kept, world.gone, "book_merged"),
    ):
        with pytest.raises(Conflict) as refused:
            merge_books(kept=kept, gone=gone, by=staff, reason="Once more")
        assert refused.value.code == code
    free = Book.add(by=alice, title="Free", authors=["A"])
    kept = merge_books(kept=free, gone=Book.add(by=alice, title="Free", authors=["A"]), by=staff, reason="x").kept
    with pytest.raises(Conflict) as used:
        kept.remove(by=alice)
    assert used.value.code == "book_in_use"


def test_who_did_it_and_why_is_written_down(world: World, merge: Merge, staff: User) -> None:
    undo_merge(merge, by=staff, reason="Two works after all")
    entries = AuditEntry.objects.filter(verb__startswith="book.").order_by("pk")
    assert [(row.verb, row.actor, row.reason) for row in entries] == [
        ("book.merged", staff.pk, "The same work"),
        ("book.unmerged", staff.pk, "Two works after all"),
    ]
    named = Event.objects.filter(verb__in=("book.merged", "book.unmerged"), actor=staff)
    assert [event.object_id for event in named.order_by("pk")] == [world.kept.pk, world.kept.pk]


def test_accounts_that_go_take_along_what_was_set_aside(world: World, merge: Merge, bob: User, staff: User) -> None:
    close(bob, anonymise=True)
    assert differences() == (0, [])
    undo_merge(merge, by=staff, reason="Two works after all")
    assert not Review.objects.filter(book=world.gone, rating=2).exists()
    assert Review.objects.filter(book=world.kept, author=None).count() == 1
    assert differences() == (0, [])
