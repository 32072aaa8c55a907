"""Fixtures: a book, a club, and uploads of exports."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club
from core.tasks.worker import run_pending
from tests.clubs.helpers import bring_in


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
def club(alice: User, bob: User) -> Club:
    """Alice's club, with Bob as a member."""
    club = Club.create_club(by=alice, name="Night readers")
    bring_in(club, bob)
    return club


@pytest.fixture
def upload(as_alice: APIClient) -> Callable[..., Any]:
    """Upload an export as Alice and process it; return the report, or with `begin_only` the first response."""

    def send(
        data: bytes, source: str = "goodreads", *, client: Any = as_alice, begin_only: bool = False, **fields: Any
    ):
        headers = {name: fields.pop(name) for name in list(fields) if name.startswith("HTTP_")}
        body = {"file": SimpleUploadedFile("export.csv", data, "text/csv"), "source": source} | fields
        response = client.post("/api/v1/users/me/imports/", body, format="multipart", **headers)
        if begin_only:
            return response
        assert response.status_code == 202, response.content
        run_pending()
        return client.get(f"/api/v1/users/me/imports/{response.json()['id']}/").json()

    return send
