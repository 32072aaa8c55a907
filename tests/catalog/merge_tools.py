"""Helpers for tests of merges: two copies of the same work with related rows, and snapshots of all rows."""

import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.utils import timezone

from accounts.models import User
from ballots.models import Ballot, Candidate, Vote
from catalog.models import Book
from clubs.models import Club, Entry, Milestone, Progress
from clubs.reading.choices import ReadingPosition, Unit
from discussions.models import Thread
from meetings.models import Meeting
from reviews.models import ImportedReview, Like, Review
from tests.clubs.helpers import bring_in

DAY = datetime.timedelta(days=1)
# Undoing a merge must restore these tables, apart from TRANSIENT columns.
TABLES = [Book, Review, Like, ImportedReview, Entry, Milestone, Progress, Thread, Meeting, Candidate, Vote, Ballot]
TABLES += [apps.get_model("catalog", "Edition"), apps.get_model("clubs", "Membership")]
TRANSIENT = {"updated_at", "confirmed_distinct"}


class World(NamedTuple):
    """Dune twice, as `target` and `source`, and Alice's clubs."""

    target: Book
    source: Book
    club: Club
    secret: Club


def make_world(alice: User, bob: User, charlie: User) -> World:
    """Create the books with reviews. Alice's club lists both of them, her private one lists `source`."""
    target = Book.create_book(by=alice, title="Dune", authors=["Frank Herbert"], isbn13="9780441013593")
    source = Book.create_book(
        by=bob, title="Dune (Chronicles, #1)", authors=["Frank Herbert"], isbn13="9780340960196", page_count=600
    )
    club, secret = (
        Club.create_club(by=alice, name="Sand"),
        Club.create_club(by=alice, name="Spice", visibility="private"),
    )
    for user in (bob, charlie):
        bring_in(club, user)
    older, newer = timezone.now() - 2 * DAY, timezone.now() - DAY
    review(target, alice, 10, older)
    review(source, alice, 4, newer).like(by=charlie)
    lost = review(source, bob, 2, older)
    lost.like(by=charlie)
    ImportedReview.objects.create(review=lost, origin="goodreads:1", last_import=1)
    review(target, bob, 8, newer)
    review(source, charlie, 6, older, visibility="clubs")
    Entry.add_entry(club=club, book=Book.create_book(by=alice, title="Emma", authors=["Jane Austen"]), by=alice)
    entries = [Entry.add_entry(club=club, book=book, by=alice) for book in (source, target)]
    Entry.add_entry(club=secret, book=source, by=alice, status="finished")
    for entry, user, percent, at in (
        (entries[0], alice, 80, older),
        (entries[1], alice, 20, newer),
        (entries[0], bob, 50, newer),
        (entries[1], bob, 90, older),
        (entries[0], charlie, 30, newer),
    ):
        set_progress(entry, user, percent, at)
    Milestone.create_milestone(entry=entries[0], title="Half", up_to_percent=50, due_on=datetime.date(2026, 12, 1))
    Thread.create_thread(club=club, by=bob, title="Worms", body="Big ones.", entry=entries[0], spoiler_percent=40)
    Meeting.create_meeting(club=club, by=alice, title="Talk", starts_at=timezone.now() + DAY, entry_id=entries[0].pk)
    other = Entry.objects.get(club=club, book__title="Emma")
    for candidates in ([entries[0].pk, other.pk], [entries[0].pk, entries[1].pk]):
        ballot = Ballot.create_ballot(
            club=club, by=alice, candidates=candidates, title="Next", method="approval", closes_at=timezone.now() + DAY
        )
        ballot.vote(by=bob, choices=[entries[0].pk])
    entries[0].refresh_from_db()
    for status in ("planned", "reading"):
        entries[0].update_entry(by=alice, status=status)
    return World(target, source, club, secret)


def review(book: Book, by: User, rating: int, at: datetime.datetime, **fields: Any) -> Review:
    return Review.create_review(book=book, by=by, rating=rating, created_at=at, **fields)


def set_progress(entry: Entry, by: User, percent: int, at: datetime.datetime) -> None:
    """Set progress at a time in the past."""
    import time_machine

    with time_machine.travel(at, tick=False):
        Progress.set_progress(entry=entry, by=by, position=ReadingPosition(Unit.PERCENT, percent))


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the tables that a merge changes."""
    found = {}
    for model in TABLES:
        rows = model._base_manager.order_by("pk").values()
        names = TRANSIENT if model is Book else set()
        found[model.__name__] = [{k: v for k, v in row.items() if k not in names} for row in rows]
    # Restored progress gets new ids, to which nothing refers.
    for row in found["Progress"]:
        del row["id"]
    found["Progress"].sort(key=lambda row: (row["entry_id"], row["user_id"]))
    del found["Like"][:]
    found["Like"] += Like.objects.order_by("review", "user").values("review", "user", "created_at")
    for row in found["ImportedReview"]:
        del row["id"]
    return found
