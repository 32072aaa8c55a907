"""Club fixtures."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from clubs.models import Club
from tests.clubs.helpers import bring_in


@pytest.fixture
def make_club(alice: User, bob: User, moe: User) -> Callable[..., Club]:
    """Create a club owned by Alice, with Moe as moderator and Bob as member unless `alone`."""

    def make(name: str = "Night readers", *, alone: bool = False, **fields: Any) -> Club:
        club = Club.create_club(by=alice, name=name, **fields)
        if not alone:
            bring_in(club, moe, role="moderator")
            bring_in(club, bob)
        return club

    return make


@pytest.fixture
def club(make_club: Callable[..., Club]) -> Club:
    return make_club()


@pytest.fixture
def private_club(make_club: Callable[..., Club]) -> Club:
    return make_club("Secret readers", visibility="private")
