"""Fixtures for reading lists. The club is in Sao Paulo."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from tests.cast import Cast, alice, bob, club, create_cast, moe  # noqa: F401  once per module


@pytest.fixture(scope="module", autouse=True)
def cast(module_db: None) -> Cast:
    return create_cast(timezone="America/Sao_Paulo")


@pytest.fixture
def add_book(db: None) -> Callable[..., Book]:
    """Create a book: `add_book("Emma")`."""

    def add(title: str = "Emma", author: str = "Jane Austen", **fields: Any) -> Book:
        return Book.create_book(by=None, title=title, authors=[author], **fields)

    return add


@pytest.fixture
def put_on_list(club: Club, alice: User, add_book: Callable[..., Book]) -> Callable[..., Entry]:
    """Create a book and add it to a list: `put_on_list("Emma", status="reading")`."""

    def put(title: str, *, by: User | None = None, to: Club | None = None, **fields: Any) -> Entry:
        return Entry.add_entry(club=to or club, book=add_book(title), by=by or alice, **fields)

    return put
