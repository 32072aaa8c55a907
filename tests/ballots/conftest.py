"""Fixtures of ballots: proposals and voters."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from tests.cast import alice, bob, cast, club, moe  # noqa: F401  once per module
from tests.clubs.helpers import bring_in


@pytest.fixture
def propose(club: Club, alice: User) -> Callable[..., Entry]:
    """Add a new book to the reading list: `propose("Emma")`."""

    def put(title: str, *, to: Club | None = None, by: User | None = None, status: str = "proposed") -> Entry:
        book = Book.create_book(by=None, title=title, authors=["Jane Austen"])
        return Entry.add_entry(club=to or club, book=book, by=by or alice, status=status)

    return put


@pytest.fixture
def entries(propose: Callable[..., Entry]) -> list[Entry]:
    """Emma (the oldest proposal), Persuasion and Sanditon."""
    return [propose(title) for title in ("Emma", "Persuasion", "Sanditon")]


@pytest.fixture
def voters(
    club: Club, make_user: Callable[..., User], client_of: Callable[[User | None], APIClient]
) -> Callable[[int], list[APIClient]]:
    """Add new members and return their clients."""

    def make(count: int) -> list[APIClient]:
        users = [make_user(f"voter{n}") for n in range(count)]
        for user in users:
            bring_in(club, user)
        return [client_of(user) for user in users]

    return make
