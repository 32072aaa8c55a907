"""Fixtures of date polls."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from clubs.models import Club
from meetings.models import DatePoll
from tests.clubs.helpers import bring_in
from tests.meetings.date_polls.helpers import create


@pytest.fixture
def poll(club: Club) -> DatePoll:
    return create(club)


@pytest.fixture
def members(club: Club, make_user: Callable[..., User], client_of: Callable[..., Any]) -> dict[str, Any]:
    """Clients of the new members ann, ben, cid and dan."""
    users = [make_user(name) for name in ("ann", "ben", "cid", "dan")]
    for user in users:
        bring_in(club, user)
    return {user.username: client_of(user) for user in users}
