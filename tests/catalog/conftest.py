"""Fixtures for tests of the catalog."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from catalog.models import Book
from tests.catalog.provider_server import Server, running


@pytest.fixture
def add_book(db: None) -> Callable[..., Book]:
    """Create a book: `add_book("Emma", "Jane Austen", published_year=1815)`."""

    def add(title: str, *authors: str, by: User | None = None, **fields: Any) -> Book:
        counters = {name: fields.pop(name) for name in list(fields) if name.startswith(COUNTERS)}
        book = Book.create_book(by=by, title=title, authors=authors or ("Anonymous",), **fields)
        Book.objects.filter(pk=book.pk).update(**counters) if counters else None
        return book

    return add


COUNTERS = ("ratings_", "average_", "stars_", "clubs_")


@pytest.fixture
def open_library(settings: Settings) -> Iterator[Server]:
    with running() as server:
        settings.OPENLIBRARY_URL = server.url
        yield server
