"""Fixtures for tests of availability."""

import pytest

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry


@pytest.fixture
def entry(club: Club, alice: User) -> Entry:
    return Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["Jane Austen"]), by=alice)
