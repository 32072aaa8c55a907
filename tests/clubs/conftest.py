"""Clubs with a cast: Alice owns, Moe moderates, Bob is a member, Charlie is a stranger."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club
from tests.clubs.helpers import bring_in


@pytest.fixture
def moe(make_user: Callable[..., User]) -> User:
    return make_user("moe", display_name="Moe")


@pytest.fixture
def make_club(alice: User, bob: User, moe: User) -> Callable[..., Club]:
    """Found a club of Alice's with Moe and Bob in it; `alone=True` for one with nobody else."""

    def make(name: str = "Night readers", *, alone: bool = False, **fields: Any) -> Club:
        club = Club.found(by=alice, name=name, **fields)
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


@pytest.fixture
def as_alice(alice: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_moe(moe: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(moe)


@pytest.fixture
def as_bob(bob: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_charlie(charlie: User, client_of: Callable[[User | None], APIClient]) -> APIClient:
    return client_of(charlie)
