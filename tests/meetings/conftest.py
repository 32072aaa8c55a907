"""Fixtures of meetings: a club in London."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from clubs.models import Club
from meetings.models import Meeting
from tests.cast import Cast, alice, bob, club, create_cast, moe  # noqa: F401  once per module


@pytest.fixture(scope="module", autouse=True)
def cast(module_db: None) -> Cast:
    return create_cast(timezone="Europe/London")


@pytest.fixture
def make_meeting(club: Club, alice: User) -> Callable[..., Meeting]:
    """Create a meeting of the club: `make_meeting(days=-3, capacity=2)`."""

    def make(*, days: float = 10, **fields: Any) -> Meeting:
        values = {
            "title": "Tea",
            "starts_at": timezone.now().replace(microsecond=0) + datetime.timedelta(days=days),
            "club": club,
        }
        return Meeting.create_meeting(by=alice, **values | fields)

    return make


@pytest.fixture
def meeting(make_meeting: Callable[..., Meeting]) -> Meeting:
    return make_meeting()
