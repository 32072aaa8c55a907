"""A club with a list: Alice owns it, Moe moderates, Bob is a member, Charlie a stranger."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from clubs.roles import Role
from tests.clubs.reading.helpers import join


@pytest.fixture
def moe(make_user: Callable[..., User]) -> User:
    return make_user("moe", display_name="Moe")


@pytest.fixture
def club(alice: User, bob: User, moe: User) -> Club:
    club = Club.found(by=alice, name="Night readers", timezone="America/Sao_Paulo")
    join(club, bob)
    join(club, moe, role=Role.MODERATOR)
    return club


@pytest.fixture
def private_club(alice: User, bob: User, moe: User) -> Club:
    club = Club.found(by=alice, name="Secret readers", visibility="private")
    join(club, bob)
    join(club, moe, role=Role.MODERATOR)
    return club


@pytest.fixture
def add_book(db: None) -> Callable[..., Book]:
    """Put a book into the catalogue: `add_book("Emma")`."""

    def add(title: str = "Emma", author: str = "Jane Austen", **fields: Any) -> Book:
        return Book.add(by=None, title=title, authors=[author], **fields)

    return add


@pytest.fixture
def put_on_list(club: Club, alice: User, add_book: Callable[..., Book]) -> Callable[..., Entry]:
    """Put a new book on the club's list: `put_on_list("Emma", status="reading")`."""

    def put(title: str, *, by: User | None = None, to: Club | None = None, **fields: Any) -> Entry:
        return Entry.add(club=to or club, book=add_book(title), by=by or alice, **fields)

    return put


@pytest.fixture
def as_alice(alice: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_moe(moe: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(moe)


@pytest.fixture
def as_charlie(charlie: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(charlie)
