"""Fixtures for statistics: books."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.models import Book


@pytest.fixture
def add_book(db: None) -> Callable[..., Book]:
    """Add a book to the catalog."""

    def add(title: str = "Emma", **fields: Any) -> Book:
        return Book.create_book(by=None, title=title, authors=["Jane Austen"], **fields)

    return add


@pytest.fixture
def book(add_book: Callable[..., Book]) -> Book:
    return add_book()
