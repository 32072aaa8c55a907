"""Fixtures for statistics: books, entries of a club, and its statistics."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry


@pytest.fixture
def add_book(db: None) -> Callable[..., Book]:
    """Add a book to the catalog."""

    def add(title: str = "Emma", **fields: Any) -> Book:
        return Book.create_book(by=None, title=title, authors=["Jane Austen"], **fields)

    return add


@pytest.fixture
def book(add_book: Callable[..., Book]) -> Book:
    return add_book()


@pytest.fixture
def stats(anonymous: APIClient) -> Callable[..., dict[str, Any]]:
    """Return the statistics of a club: `stats(club)`."""

    def get(club: Club, client: APIClient = anonymous) -> dict[str, Any]:
        response = client.get(f"/api/v1/clubs/{club.pk}/stats/")
        assert response.status_code == 200, response.content
        body: dict[str, Any] = response.json()
        return body

    return get


@pytest.fixture
def add_entry(club: Club, alice: User) -> Callable[..., Entry]:
    """Create a book and add it to a list: `add_entry("Emma", where=club)`."""

    def add(title: str = "Emma", *, where: Club = club, status: str = "reading", **fields: Any) -> Entry:
        book = Book.create_book(by=None, title=title, authors=["Jane Austen"], **fields)
        return Entry.add_entry(club=where, book=book, by=alice, status=status)

    return add
