"""Rows of the permission matrix for ballots."""

from collections.abc import Callable
from typing import Any, cast

from accounts.models import User
from catalog.models import Book
from clubs.models import Entry
from tests.ballots.helpers import later, poll
from tests.clubs.matrix import BUILDERS, ROWS, Row, World


def voting(world: World, make_user: Callable[..., User]) -> None:
    owner = cast(User, world.users["owner"])
    books = [Book.create_book(by=None, title=title, authors=["Anonymous"]) for title in ("First", "Second")]
    entries = [Entry.add_entry(club=world.club, book=book, by=owner) for book in books]
    ballot = poll(world.club, entries, method="approval")
    closed = poll(world.club, entries, method="approval")
    closed.close(by=owner)
    world.objects["closed_ballot"] = closed
    world.objects |= {"ballot": ballot, "choices": [entries[0].pk], "candidates": [entry.pk for entry in entries]}


BALLOT = {"ballot_id": "@ballot"}
NEW: dict[str, Any] = {"title": "Next?", "method": "ranked", "candidates": "@candidates", "closes_at": later(days=7)}

BUILDERS.append(voting)
ROWS += [
    Row("club-ballot-list", "get", "member"),
    Row("club-ballot-list", "post", "moderator", 201, body=NEW),
    Row("club-ballot-detail", "get", "member", path=BALLOT),
    Row("club-ballot-detail", "delete", "moderator", 204, path=BALLOT),
    Row("club-ballot-vote", "put", "member", path=BALLOT, body={"approved": "@choices"}),
    Row("club-ballot-vote", "delete", "member", 204, path=BALLOT),
    Row("club-ballot-close", "post", "moderator", path=BALLOT),
    Row(
        *("club-ballot-recount", "post", "moderator", 400),
        path={"ballot_id": "@closed_ballot"},
        body={"without": "@entry", "reason": "Out of print"},
        note="not the winner",
    ),
]
