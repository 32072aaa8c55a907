"""Shared fixtures. Alice owns, Moe moderates, Bob is a member, Charlie is an outsider, Mallory attacks."""

import gc
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from zlib import crc32

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management.commands import flush as flush_command
from django.db import transaction
from django.db.backends.signals import connection_created
from django.test import Client
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from accounts.two_factor import sessions
from accounts.two_factor.models import TOTPDevice
from bookbridge.env import Rate
from clubs.models import Club
from core import mail, redis
from core.api import throttling
from tests.clubs.helpers import bring_in
from tests.flush import emit_or_restore
from tests.server import load_migrated

# No deadlines, because the machine may be busy.
hypothesis_settings.register_profile("bookbridge", deadline=None)
hypothesis_settings.load_profile("bookbridge")

PASSWORD = "correct horse battery"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return short ids for long values, equal in every process although bytes may contain a timestamp."""
    if isinstance(val, bytes):
        return f"{len(val)} bytes"
    return f"{val[:40]}…" if isinstance(val, str) and len(val) > 60 else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--part 1/3`, which runs the first of three parts of the tests, and all concurrency tests."""
    parser.addoption(
        "--part", default="1/1", metavar="N/M", help="run the Nth of M parts of the tests, and all concurrency tests"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of other parts. A test stays in its part when others are added."""
    part, parts = (int(number) for number in config.getoption("part").split("/"))

    def is_selected(item: pytest.Item) -> bool:
        return "concurrency" in item.path.parts or crc32(item.nodeid.encode()) % parts == part - 1

    config.hook.pytest_deselected(items=[item for item in items if not is_selected(item)])
    items[:] = deal([item for item in items if is_selected(item)])


# Modules with tests of 5 s and more, and without fixtures that later tests of the module would have to create again.
SLOW = {
    *("test_admin_privacy", "test_import_command", "test_import_resume", "test_import_server", "test_import_whole"),
    *(
        "test_database_servers",
        "test_mail_server",
        "test_migrations",
        "test_openapi_examples",
        "test_readme",
        "test_redis_faults",
        "test_replicas",
        "test_spoiler_leaks",
    ),
}


def deal(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests so that pytest-xdist, which gives each process a part of them, starts with slow ones in each.

    Otherwise a process would begin with the last one when the others have nothing left to do.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    slow, others = ([item for item in items if (item.path.stem in SLOW) is is_slow] for is_slow in (True, False))
    starts = [len(others) * n // processes for n in range(processes + 1)]
    dealt: list[pytest.Item] = []
    for n, (start, end) in enumerate(itertools.pairwise(starts)):
        dealt += [*slow[n::processes], *others[start:end]]
    return dealt


def pytest_collection_finish() -> None:
    """Exclude what has been loaded so far from garbage collections, which would visit all of it again and again."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Delete the directories of this process, because pytest-xdist ends its processes without `atexit`."""
    for directory in (settings.LOG_DIR, settings.MEDIA_ROOT):
        shutil.rmtree(directory, ignore_errors=True)


# Concurrency tests need MySQL or MariaDB, since SQLite allows one writer only.
collect_ignore = [] if settings.DATABASES["default"]["ENGINE"].endswith("mysql") else ["concurrency"]
if find_spec("playwright") is None:  # installed by `script/setup --dev`
    collect_ignore.append("browser")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Create the database in memory from a migrated file, since the migrations take seconds in each process."""
    connection_created.connect(load_migrated)
    yield
    connection_created.disconnect(load_migrated)


@pytest.fixture(scope="session", autouse=True)
def fast_flush() -> Iterator[None]:
    """Make the flush after tests with `transaction=True` fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush_command, "emit_post_migrate_signal", emit_or_restore)
        yield


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let fixtures with the scope of a module write to the database; roll back after its last test.

    Each test then starts with what they have written. Not for modules with tests of `transaction=True`.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Create a user with the password `correct horse battery`."""

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
def moe(make_user: Callable[..., User]) -> User:
    return make_user("moe", display_name="Moe")


@pytest.fixture
def mallory(make_user: Callable[..., User]) -> User:
    return make_user("mallory", display_name="Mallory")


@pytest.fixture
def staff(make_user: Callable[..., User]) -> User:
    """A superuser."""
    return make_user("staffer", is_staff=True, is_superuser=True)


@pytest.fixture
def as_staff(staff: User) -> Client:
    """A browser in which the superuser is signed in to the admin."""
    client = Client()
    client.force_login(staff, "accounts.authentication.AdminBackend")
    return client


def client_of(user: User | None) -> APIClient:
    """Return a client authenticated as the user with a real token; None for an anonymous client."""
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


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_charlie(charlie: User) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def as_moe(moe: User) -> APIClient:
    return client_of(moe)


@pytest.fixture
def as_mallory(mallory: User) -> APIClient:
    return client_of(mallory)


@pytest.fixture(autouse=True)
def clean_cache() -> None:
    """Clear the cache, throttles and circuit breakers before each test."""
    throttling.memory.clear()
    mail.breaker.reset()
    redis.breaker.open_until = 0.0
    cache.clear()
    if settings.REDIS_URL:
        from django_redis import get_redis_connection

        get_redis_connection("default").flushdb()


@pytest.fixture
def rate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set a throttle rate for this test: `rate("login", 5, 60)`."""

    def set_rate(scope: str, calls: int, seconds: int = 60) -> None:
        monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], scope, Rate(calls, seconds))

    return set_rate


@pytest.fixture(autouse=True)
def force_login_with_two_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `Client.force_login` a complete two-factor login to the admin."""
    force_login = Client.force_login

    def force(client: Client, user: User, backend: str | None = None) -> None:
        force_login(client, user, backend)
        device = TOTPDevice.objects.get_or_create(user=user, defaults={"secret": "", "last_step": 0})[0]
        session, now = client.session, time.time()
        session[sessions.SESSION_KEY] = {"started": now, "last_request": now, "device": device.pk}
        session.save()

    monkeypatch.setattr(Client, "force_login", force)


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
