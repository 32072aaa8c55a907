"""The cast that races need beside the common one, and what must hold after each of them."""

from collections.abc import Callable, Iterator

import pytest

from accounts.models import User
from tests.reviews.helpers import differences


@pytest.fixture
def moe(make_user: Callable[..., User]) -> User:
    return make_user("moe", display_name="Moe")


@pytest.fixture(autouse=True)
def every_figure_holds(transactional_db: None) -> Iterator[None]:
    """Whatever a race was about, it leaves every figure as a recount makes it: all of `verify_figures`, at its end."""
    yield
    assert differences() == (0, [])
