"""Concurrency of core: idempotency keys, conditional writes, deadlocks and lost connections."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, close_old_connections, connection, connections, transaction
from django.db.utils import IntegrityError
from rest_framework.test import APIClient

from accounts import serializers
from accounts.models import AuthSession, User
from core.db.transactions import atomic_with_retry
from core.models import IdempotencyRecord

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.core.views_for_tests")]

ONCE = "/api/v1/probe/once/"
ME = "/api/v1/users/me/"


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Run `count` calls simultaneously, each with its own connection. Return their results."""
    barrier = threading.Barrier(count)

    def run(n: int) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait()
            return call(n)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def copy(client: APIClient) -> APIClient:
    """Return a client with the same credentials, for another thread."""
    other = APIClient(raise_request_exception=False)
    other.credentials(**client._credentials)
    return other


@pytest.fixture
def me(client_of, alice):
    return client_of(alice)


def effects() -> int:
    return AuthSession.objects.filter(device="effect").count()


def test_simultaneous_posts_with_one_key_have_one_effect(me):
    for key in range(10):
        before = effects()
        responses = at_once(20, lambda n, key=key: copy(me).post(ONCE, {}, HTTP_IDEMPOTENCY_KEY=f"key {key}"))
        statuses = [response.status_code for response in responses]
        assert set(statuses) <= {201, 409}, statuses
        assert {a.json()["code"] for a in responses if a.status_code == 409} <= {"idempotency_in_progress"}
        assert sum(a.status_code == 201 and "Idempotency-Replayed" not in a for a in responses) == 1
        assert effects() == before + 1
        assert me.post(ONCE, {}, HTTP_IDEMPOTENCY_KEY=f"key {key}")["Idempotency-Replayed"] == "true"


def test_simultaneous_posts_with_different_keys(me):
    responses = at_once(20, lambda n: copy(me).post(ONCE, {}, HTTP_IDEMPOTENCY_KEY=f"key {n}"))
    assert {response.status_code for response in responses} == {201}
    assert effects() == 20


def test_key_of_killed_worker_is_taken_over_once(me):
    me.post(ONCE, {}, HTTP_IDEMPOTENCY_KEY="k")
    for _round in range(5):
        AuthSession.objects.filter(device="effect").delete()
        IdempotencyRecord.objects.update(status=None, response_body="", created_at="2026-01-01T00:00Z")
        responses = at_once(12, lambda n: copy(me).post(ONCE, {}, HTTP_IDEMPOTENCY_KEY="k"))
        assert {response.status_code for response in responses} <= {201, 409}
        assert effects() == 1


def test_simultaneous_conditional_updates_allow_one(me):
    for round_number in range(10):
        etag = me.get(ME)["ETag"]
        responses = at_once(
            8, lambda n, etag=etag, r=round_number: copy(me).patch(ME, {"bio": f"round {r} by {n}"}, HTTP_IF_MATCH=etag)
        )
        assert sorted(response.status_code for response in responses) == [200] + [412] * 7
        [made] = [n for n, response in enumerate(responses) if response.status_code == 200]
        assert me.get(ME).json()["bio"] == f"round {round_number} by {made}"


@pytest.mark.parametrize(("times", "status"), [(1, 200), (7, 200), (8, 503)])
def test_conditional_update_is_retried_after_deadlock(me, monkeypatch, times, status):
    original, tries = User.update_profile, []

    def change_profile(self, **fields):
        original(self, **fields)
        tries.append(fields)
        if len(tries) <= times:
            raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")

    etag = me.get(ME)["ETag"]
    monkeypatch.setattr(User, "update_profile", change_profile)
    assert me.patch(ME, {"bio": "new"}, HTTP_IF_MATCH=etag).status_code == status
    assert len(tries) == min(times + 1, 8)
    assert me.get(ME).json()["bio"] == ("new" if status == 200 else "")


@pytest.mark.parametrize(("times", "status"), [(1, 200), (7, 200), (8, 503), (9, 503)])
def test_deadlock_is_retried_seven_times_then_503(times, status):
    response = APIClient().get(f"/api/v1/probe/deadlocks/?times={times}")
    assert response.status_code == status
    if status == 503:
        assert response.json()["code"] == "unavailable"
        assert int(response["Retry-After"]) >= 1
    else:
        assert response.json() == {"attempts": times + 1}


def test_real_deadlocks_are_retried(alice, bob):
    """In each round both threads lock what the other needs; the victim is retried."""
    rows, tries, done = [alice.pk, bob.pk], [], []
    # Wait for each other between rounds: four lost deadlocks in a row would rightly raise an error.
    started, ended = threading.Barrier(2, timeout=30), threading.Barrier(2, timeout=30)

    @atomic_with_retry
    def both(first: int, second: int, meet: list[threading.Barrier]) -> None:
        tries.append(first)
        User.objects.filter(pk=first).update(bio="x")
        if meet:
            meet.pop().wait()
        User.objects.filter(pk=second).update(bio="x")

    def work(n: int) -> None:
        for _round in range(10):
            both(rows[n], rows[1 - n], [started])
            done.append(n)
            ended.wait()

    at_once(2, work)
    assert len(done) == 20
    assert len(tries) == 30


def test_nested_transaction_is_not_retried(alice):
    tries = []

    @atomic_with_retry
    def inner() -> None:
        tries.append(1)
        raise OperationalError(1213, "Deadlock found")

    @atomic_with_retry
    def outer() -> None:
        if len(tries) < 2:
            inner()

    outer()
    assert len(tries) == 2  # once in each attempt of the outermost transaction


def test_other_errors_are_not_retried():
    tries = []

    @atomic_with_retry
    def work(error: Exception) -> None:
        tries.append(1)
        raise error

    for error in (OperationalError(2013, "Lost connection"), IntegrityError(1062, "Duplicate"), OperationalError("x")):
        with pytest.raises(type(error)):
            work(error)
    assert len(tries) == 3


def kill_connections() -> int:
    """Kill all other connections to the database, as a server restart does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        ids = [row[0] for row in cursor.fetchall()]
        for number in ids:
            cursor.execute(f"KILL {number}")
    return len(ids)


def test_killed_connections_are_replaced(me):
    """Threads keep their connections between requests and must replace killed ones."""
    asked, killed = threading.Barrier(5), threading.Barrier(5)

    def client_thread(n: int) -> list[int]:
        client = copy(me)
        try:
            statuses = []
            for _round in range(3):
                for call in (client.get, client.patch):
                    close_old_connections()  # request_started does this in a server, but not in the test client
                    statuses.append(call(ME).status_code)
                asked.wait(20)
                killed.wait(20)
            return statuses
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(client_thread, n) for n in range(4)]
        total = 0
        for _round in range(3):
            asked.wait(20)
            total += kill_connections()
            killed.wait(20)
        assert {status for thread in threads for status in thread.result()} == {200}
    assert total >= 4


def test_connection_killed_during_request_gives_503(alice, monkeypatch, me):
    original = serializers.CurrentUserSerializer.update

    def kill_and_update(self, instance, validated_data):
        with connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            own = cursor.fetchone()[0]
        killer = threading.Thread(target=_kill, args=(own,))
        killer.start()
        killer.join()
        return original(self, instance, validated_data)

    monkeypatch.setattr(serializers.CurrentUserSerializer, "update", kill_and_update)
    etag = me.get(ME)["ETag"]

    def patch(n: int) -> Any:
        return copy(me).patch(ME, {"bio": "half"}, HTTP_IF_MATCH=etag)

    [response] = at_once(1, patch)
    assert response.status_code == 503, response.content
    assert response.json()["code"] == "unavailable"
    alice.refresh_from_db()
    assert alice.bio == ""


def _kill(number: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"KILL {number}")
    finally:
        connections.close_all()


def test_transaction_takes_two_statements_beside_its_own(db):
    User.objects.exists()  # connects
    before = questions()
    with transaction.atomic():
        User.objects.exists()
    assert questions() - before == len(("BEGIN", "SELECT", "COMMIT", "SHOW"))


def questions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Questions'")
        return int(cursor.fetchone()[1])
