"""Fixtures for tests of opinions: a book on the list of a club, and a meeting next week."""

import datetime

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from meetings.models import Meeting
from tests.activity.push_fixtures import apns_service, fcm_service, push_settings, service  # noqa: F401


@pytest.fixture
def book(db: None) -> Book:
    return Book.create_book(by=None, title="Emma", authors=["Jane Austen"])


@pytest.fixture
def entry(club: Club, alice: User, book: Book) -> Entry:
    return Entry.add_entry(club=club, book=book, by=alice, status="reading")


@pytest.fixture
def meeting(club: Club, alice: User) -> Meeting:
    starts_at = timezone.now().replace(microsecond=0) + datetime.timedelta(days=7)
    return Meeting.create_meeting(club=club, by=alice, title="Emma", starts_at=starts_at)


@pytest.fixture
def sealed(entry: Entry, meeting: Meeting, alice: User) -> Entry:
    """The entry, whose opinions open when the meeting begins."""
    entry.update_entry(by=alice, sealed_with=meeting.pk)
    return entry
