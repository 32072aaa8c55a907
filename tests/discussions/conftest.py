"""Fixtures of discussions: a club that reads Emma."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry, Progress
from clubs.reading.choices import ReadingPosition, Unit
from discussions.models import Post, Thread


@pytest.fixture
def entry(club: Club, alice: User) -> Entry:
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    return Entry.add_entry(club=club, book=book, by=alice, status="reading")


@pytest.fixture
def set_progress(entry: Entry) -> Callable[..., None]:
    """Set a user's progress in Emma: `set_progress(bob, 40)`."""

    def save(user: User, percent: Any, *, hidden: bool = False) -> None:
        Progress.set_progress(
            entry=entry, by=user, position=ReadingPosition(Unit.PERCENT, Decimal(str(percent))), hidden=hidden
        )

    return save


@pytest.fixture
def thread(club: Club, alice: User, entry: Entry) -> Thread:
    """Alice's thread about Emma; its first post contains no spoilers."""
    return Thread.create_thread(
        club=club, by=alice, title="Hartfield", body="What a house.", entry=entry, spoiler_percent=Decimal(0)
    )


@pytest.fixture
def chat(club: Club, alice: User) -> Thread:
    """Alice's thread without a book."""
    return Thread.create_thread(club=club, by=alice, title="Biscuits", body="Who brings them?")


@pytest.fixture
def make_post(thread: Thread) -> Callable[..., Post]:
    """Create a post in the thread about Emma: `make_post(alice, "She marries", at=90)`."""

    def make(by: User, body: str = "Hm.", *, at: Any = None, to: Post | None = None, in_thread: Any = None) -> Post:
        percent = None if at is None else Decimal(str(at))
        return Post.create_post(thread=in_thread or thread, by=by, body=body, reply_to=to, spoiler_percent=percent)

    return make
