"""The cast that races need beside the common one."""

from collections.abc import Callable

import pytest

from accounts.models import User


@pytest.fixture
def moe(make_user: Callable[..., User]) -> User:
    return make_user("moe", display_name="Moe")
