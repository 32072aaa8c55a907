"""What must hold after each race."""

from collections.abc import Iterator

import pytest

from tests.reviews.helpers import differences


@pytest.fixture(autouse=True)
def every_figure_holds(transactional_db: None) -> Iterator[None]:
    """Whatever a race was about, it leaves every figure as a recount makes it: all of `verify_figures`, at its end."""
    yield
    assert differences() == (0, [])
