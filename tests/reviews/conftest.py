"""A book to review, and the cast signed in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from bookbridge.api.tasks.worker import run_pending
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
def club(alice: User, bob: User) -> Club:
    """A club of Alice's with Bob in it."""
    club = Club.found(by=alice, name="Night readers")
    bring_in(club, bob)
    return club


@pytest.fixture
def upload(as_alice: APIClient) -> Callable[..., Any]:
    """Bring an export of Alice's along, and have it worked off: the report. With `begin_only` the first answer."""

    def send(
        data: bytes, source: str = "goodreads", *, client: Any = as_alice, begin_only: bool = False, **fields: Any
    ):
        headers = {name: fields.pop(name) for name in list(fields) if name.startswith("HTTP_")}
        body = {"file": SimpleUploadedFile("export.csv", data, "text/csv"), "source": source} | fields
        answer = client.post("/api/v1/users/me/imports/", body, format="multipart", **headers)
        if begin_only:
            return answer
        assert answer.status_code == 202, answer.content
        run_pending()
        return client.get(f"/api/v1/users/me/imports/{answer.json()['id']}/").json()

    return send
