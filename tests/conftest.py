"""One cast everywhere: Alice owns, Bob is a member, Charlie is a stranger, Mallory means harm."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts import mail, tokens
from accounts.models import User
from bookbridge.api import redis, throttling
from bookbridge.env import Rate

PASSWORD = "correct horse battery"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Short names for long values, the same in each process: bytes may hold the time they were made at."""
    if isinstance(val, bytes):
        return f"{len(val)} bytes"
    return f"{val[:40]}…" if isinstance(val, str) and len(val) > 60 else None


# Races are only real on a real server: SQLite lets one writer in at a time.
collect_ignore = [] if settings.DATABASES["default"]["ENGINE"].endswith("mysql") else ["concurrency"]


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Open an account; the password is `correct horse battery`."""

    def make(username: str, **fields: Any) -> User:
        return User.objects.create_user(username, PASSWORD, **fields)

    return make


@pytest.fixture
def alice(make_user: Callable[..., User]) -> User:
    return make_user("alice", display_name="Alice", email="alice@example.org", email_verified=True)


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user("bob", display_name="Bob")


@pytest.fixture
def charlie(make_user: Callable[..., User]) -> User:
    return make_user("charlie", display_name="Charlie")


@pytest.fixture
def mallory(make_user: Callable[..., User]) -> User:
    return make_user("mallory", display_name="Mallory")


@pytest.fixture
def staff(make_user: Callable[..., User]) -> User:
    """Somebody who may do everything in the admin."""
    return make_user("staffer", is_staff=True, is_superuser=True)


def client_of(user: User | None) -> APIClient:
    """A client that is signed in as the user with a real token; None for nobody."""
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.sign_in(user, device='tests').access}")
    return client


@pytest.fixture(name="client_of")
def client_of_fixture() -> Callable[[User | None], APIClient]:
    return client_of


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture(autouse=True)
def clean_cache() -> None:
    """No test finds what another left in the cache or in a rate's window."""
    throttling.memory.clear()
    redis.breaker.closed_again_at = 0.0
    cache.clear()
    if settings.REDIS_URL:
        from django_redis import get_redis_connection

        get_redis_connection("default").flushdb()


@pytest.fixture(autouse=True)
def mails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails go out in the test's own thread, so that `mailoutbox` has them when the call returns."""

    class Inline:
        def submit(self, send: Callable[..., None], *args: Any) -> Future[None]:
            send(*args)
            return Future()

    monkeypatch.setattr(mail, "outgoing", Inline())
    # The connection is the test's.
    monkeypatch.setattr(mail, "close_old_connections", lambda: None)


@pytest.fixture
def rate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set a rate for this test: `rate("login", 5, 60)`."""

    def set_rate(scope: str, calls: int, seconds: int = 60) -> None:
        monkeypatch.setitem(settings.RATES, scope, Rate(calls, seconds))

    return set_rate
