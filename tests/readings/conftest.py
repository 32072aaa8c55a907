"""A club that reads Emma."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry


@pytest.fixture
def book(db: None) -> Book:
    return Book.create_book(by=None, title="Emma", authors=["Jane Austen"], page_count=400)


@pytest.fixture
def entry(club: Club, alice: User, book: Book) -> Entry:
    return Entry.add_entry(club=club, book=book, by=alice, status="reading")


@pytest.fixture
def mark() -> Callable[..., Any]:
    """Set a client's progress: `mark(as_bob, entry, percent=40)`."""

    def put(client: APIClient, entry: Entry, **body: Any) -> Any:
        response = client.put(f"/api/v1/clubs/{entry.club_id}/books/{entry.pk}/progress/", body)
        assert response.status_code == 200, response.content
        return response.json()

    return put


@pytest.fixture
def readings() -> Callable[..., list[dict[str, Any]]]:
    """Return a client's readings, oldest first."""

    def get(client: APIClient, **query: Any) -> list[dict[str, Any]]:
        response = client.get("/api/v1/users/me/readings/", query)
        assert response.status_code == 200, response.content
        rows: list[dict[str, Any]] = response.json()["results"]
        return rows[::-1]

    return get
