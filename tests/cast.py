"""Alice's club with Moe and Bob, created once per module for the directories whose conftest.py imports this.

Each test gets copies, so that it may change them, and its changes of the rows are rolled back.
"""

from copy import deepcopy
from typing import NamedTuple

import pytest

from accounts.models import User
from clubs.models import Club
from tests.clubs.helpers import bring_in
from tests.conftest import PASSWORD


class Cast(NamedTuple):
    alice: User
    bob: User
    moe: User
    club: Club


def create_cast(**fields: str) -> Cast:
    """Create the users and a club with these fields."""
    alice = User.objects.create_user(
        "alice", PASSWORD, display_name="Alice", email="alice@example.org", email_verified=True
    )
    bob, moe = (User.objects.create_user(name.lower(), PASSWORD, display_name=name) for name in ("Bob", "Moe"))
    club = Club.create_club(by=alice, name="Night readers", **fields)
    bring_in(club, moe, role="moderator")
    bring_in(club, bob)
    return Cast(alice, bob, moe, club)


@pytest.fixture(scope="module", autouse=True)
def cast(module_db: None) -> Cast:
    return create_cast()


@pytest.fixture
def alice(db: None, cast: Cast) -> User:
    return deepcopy(cast.alice)


@pytest.fixture
def bob(db: None, cast: Cast) -> User:
    return deepcopy(cast.bob)


@pytest.fixture
def moe(db: None, cast: Cast) -> User:
    return deepcopy(cast.moe)


@pytest.fixture
def club(db: None, cast: Cast) -> Club:
    return deepcopy(cast.club)
