"""Fixtures for tests of concurrency."""

from collections.abc import Callable, Iterator

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.reviews.helpers import counter_differences


@pytest.fixture(autouse=True)
def check_counters(transactional_db: None) -> Iterator[None]:
    """Check after each test that every counter equals a recount."""
    yield
    assert counter_differences() == (0, [])


@pytest.fixture
def clients(users: list[User], client_of: Callable[[User | None], APIClient]) -> list[APIClient]:
    """A client for each of the module's `users`."""
    return [client_of(user) for user in users]
