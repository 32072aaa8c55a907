"""What the tests of merges share: a world with the same work in it twice, and pictures of all that is in it."""

import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.utils import timezone

from accounts.models import User
from catalog.models import Book
from clubs.ballots.models import Ballot, Candidate, Vote
from clubs.discussions.models import Thread
from clubs.meetings.models import Meeting
from clubs.models import Club, Entry, Milestone, Progress
from clubs.reading.rules import Mark, Unit
from reviews.importing.models import ImportedReview
from reviews.models import Like, Review
from tests.clubs.helpers import bring_in

DAY = datetime.timedelta(days=1)
# What a merge that is undone leaves no trace in, but that staff have told the books apart, and when.
TABLES = [Book, Review, Like, ImportedReview, Entry, Milestone, Progress, Thread, Meeting, Candidate, Vote, Ballot]
TABLES += [apps.get_model("catalog", "Edition"), apps.get_model("clubs", "Membership")]
PASSING = {"updated_at", "told_apart"}


class World(NamedTuple):
    """Dune, twice: `kept` and `gone`."""

    kept: Book
    gone: Book
    club: Club
    secret: Club


def make_world(alice: User, bob: User, charlie: User) -> World:
    """Alice's club lists both, her private one the one that goes; Alice and Bob have reviewed both, Charlie one."""
    kept = Book.add(by=alice, title="Dune", authors=["Frank Herbert"], isbn13="9780441013593")
    gone = Book.add(
        by=bob, title="Dune (Chronicles, #1)", authors=["Frank Herbert"], isbn13="9780340960196", page_count=600
    )
    club, secret = Club.found(by=alice, name="Sand"), Club.found(by=alice, name="Spice", visibility="private")
    for reader in (bob, charlie):
        bring_in(club, reader)
    older, newer = timezone.now() - 2 * DAY, timezone.now() - DAY
    review(kept, alice, 10, older)
    review(gone, alice, 4, newer).like(by=charlie)
    lost = review(gone, bob, 2, older)
    lost.like(by=charlie)
    ImportedReview.objects.create(review=lost, origin="goodreads:1", last_import=1)
    review(kept, bob, 8, newer)
    review(gone, charlie, 6, older, visibility="clubs")
    Entry.add(club=club, book=Book.add(by=alice, title="Emma", authors=["Jane Austen"]), by=alice)
    entries = [Entry.add(club=club, book=book, by=alice) for book in (gone, kept)]
    Entry.add(club=secret, book=gone, by=alice, status="finished")
    for entry, reader, percent, at in (
        (entries[0], alice, 80, older),
        (entries[1], alice, 20, newer),
        (entries[0], bob, 50, newer),
        (entries[1], bob, 90, older),
        (entries[0], charlie, 30, newer),
    ):
        mark(entry, reader, percent, at)
    Milestone.add(entry=entries[0], title="Half", up_to_percent=50, due_on=datetime.date(2026, 12, 1))
    Thread.open(club=club, by=bob, title="Worms", body="Big ones.", entry=entries[0], spoiler_percent=40)
    Meeting.plan(club=club, by=alice, title="Talk", starts_at=timezone.now() + DAY, entry_id=entries[0].pk)
    other = Entry.objects.get(club=club, book__title="Emma")
    for candidates in ([entries[0].pk, other.pk], [entries[0].pk, entries[1].pk]):
        ballot = Ballot.open(
            club=club, by=alice, candidates=candidates, title="Next", method="approval", closes_at=timezone.now() + DAY
        )
        ballot.vote(by=bob, choices=[entries[0].pk])
    entries[0].refresh_from_db()
    for status in ("planned", "reading"):
        entries[0].change(by=alice, status=status)
    return World(kept, gone, club, secret)


def review(book: Book, by: User, rating: int, at: datetime.datetime, **fields: Any) -> Review:
    return Review.write(book=book, by=by, rating=rating, created_at=at, **fields)


def mark(entry: Entry, by: User, percent: int, at: datetime.datetime) -> None:
    """Set a mark at a moment that has passed."""
    import time_machine

    with time_machine.travel(at, tick=False):
        Progress.set(entry=entry, by=by, mark=Mark(Unit.PERCENT, percent))


def picture() -> dict[str, list[dict[str, Any]]]:
    """All that is in the tables of clubs, reviews and books."""
    found = {}
    for model in TABLES:
        rows = model._base_manager.order_by("pk").values()
        names = PASSING if model is Book else set()
        found[model.__name__] = [{k: v for k, v in row.items() if k not in names} for row in rows]
    # Marks that come back are new rows, and nothing names them.
    for row in found["Progress"]:
        del row["id"]
    found["Progress"].sort(key=lambda row: (row["entry_id"], row["user_id"]))
    del found["Like"][:]
    found["Like"] += Like.objects.order_by("review", "user").values("review", "user", "created_at")
    for row in found["ImportedReview"]:
        del row["id"]
    return found
