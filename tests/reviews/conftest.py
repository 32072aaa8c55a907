"""A book to review, and the cast signed in."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club
from tests.clubs.helpers import bring_in


@pytest.fixture
def add_book(db: None) -> Callable[..., Book]:
    """Put a book into the catalogue."""

    def add(title: str = "Emma", **fields: Any) -> Book:
        return Book.add(by=None, title=title, authors=["Jane Austen"], **fields)

    return add


@pytest.fixture
def book(add_book: Callable[..., Book]) -> Book:
    return add_book()


@pytest.fixture
def as_alice(alice: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_charlie(charlie: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def club(alice: User, bob: User) -> Club:
    """A club of Alice's with Bob in it."""
    club = Club.found(by=alice, name="Night readers")
    bring_in(club, bob)
    return club
