"""Rows of reading lists in the permission matrix."""

import datetime
from collections.abc import Callable

from accounts.models import User
from catalog.models import Book
from clubs.models import Entry, Milestone
from tests.clubs.matrix import BUILDERS, ROWS, Row, World


def reading(world: World, make_user: Callable[..., User]) -> None:
    """Add an entry with a milestone, a proposal of the member, and an unlisted book."""
    books = [Book.create_book(by=None, title=title, authors=["Anonymous"]) for title in ("Planned", "Proposed", "New")]
    entry = Entry.add_entry(club=world.club, book=books[0], by=world.users["owner"])
    proposal = Entry.add_entry(club=world.club, book=books[1], by=world.users["member"])
    milestone = Milestone.create_milestone(
        entry=entry, title="First part", up_to_percent=10, due_on=datetime.date(2027, 1, 1)
    )
    world.objects |= {"entry": entry, "proposal": proposal, "milestone": milestone, "book": books[2]}


ENTRY, BELOW = {"entry_id": "@entry"}, {"entry_id": "@entry"}
MILESTONE = BELOW | {"milestone_id": "@milestone"}
NEW_MILESTONE = {"title": "Second part", "up_to_percent": 20, "due_on": "2027-02-01"}

BUILDERS.append(reading)
ROWS += [
    Row("club-book-list", "get", "anyone"),
    Row("club-book-list", "post", "member", 201, body={"book": "@book"}),
    Row("club-book-list", "post", "moderator", 201, body={"book": "@book", "status": "planned"}, note="planned"),
    Row("club-book-detail", "get", "anyone", path=ENTRY),
    Row("club-book-detail", "patch", "moderator", path=ENTRY, body={"status": "planned", "position": 2}),
    Row("club-book-detail", "delete", "moderator", 204, path=ENTRY),
    Row("club-book-detail", "delete", "member", 204, path={"entry_id": "@proposal"}, note="own"),
    Row("club-book-shift", "post", "moderator", path=ENTRY, body={"days": 7, "from": "2026-12-01"}),
    Row("club-book-milestone-list", "get", "anyone", path=BELOW),
    Row("club-book-milestone-list", "post", "moderator", 201, path=BELOW, body=NEW_MILESTONE),
    Row("club-book-milestone-detail", "get", "anyone", path=MILESTONE),
    Row("club-book-milestone-detail", "patch", "moderator", path=MILESTONE, body={"title": "Part one"}),
    Row("club-book-milestone-detail", "delete", "moderator", 204, path=MILESTONE),
    Row("club-book-progress", "get", "member", path=BELOW),
    Row("club-book-progress", "put", "member", path=BELOW, body={"percent": 5}),
    Row("club-book-progress", "delete", "member", 204, path=BELOW),
    Row("club-book-progress-mine", "get", "member", path=BELOW),
    Row("club-book-sections", "get", "member", path=BELOW),
    Row("club-book-sections", "put", "moderator", path=BELOW, body={"sections": [{"title": "I"}, {"title": "II"}]}),
    Row("club-book-sections", "delete", "moderator", 204, path=BELOW),
]
