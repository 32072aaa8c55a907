"""Check of all counters after each test."""

from collections.abc import Iterator

import pytest

from tests.reviews.helpers import counter_differences


@pytest.fixture(autouse=True)
def check_counters(transactional_db: None) -> Iterator[None]:
    """Check after each test that every counter equals a recount."""
    yield
    assert counter_differences() == (0, [])
