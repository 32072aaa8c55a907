"""A server in production whose MariaDB is stopped, killed, suspended or locked, or whose own processes are killed.

Requests then get 503 in time and leave all or nothing, and no request fails afterwards.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency.tools import at_once
from tests.core.test_live_server import Live
from tests.own_servers import OwnMariaDB, has_mariadb, wait_until
from tests.server import TOP

pytestmark = pytest.mark.skipif(not has_mariadb(), reason="there is no MariaDB to start")

PASSWORD = "um-bom-segredo-7"
API = "/api/v1/"
REVIEWS = f"{API}reviews/"
# The default: how many seconds a request may wait for a database that does not respond.
DB_TIMEOUT = 10
THREADS = 8
WORKERS = 2


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnMariaDB]:
    mariadb = OwnMariaDB(tmp_path_factory.mktemp("mariadb"))
    mariadb.start()
    mariadb.run("CREATE DATABASE bookbridge", database="mysql")
    yield mariadb
    mariadb.end()


@pytest.fixture(scope="module")
def server(mariadb: OwnMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    rates = {f"RATE_{name}": "off" for name in ("LOGIN", "REGISTER", "INVITE", "WRITE", "USER", "ANON")}
    home = tmp_path_factory.mktemp("server")
    settings = {"DATABASE_URL": mariadb.url, "WEB_CONCURRENCY": str(WORKERS), **rates}
    server = Live(home, prepare=["migrate", "-v0"], **settings)
    yield server
    server.stop()


class SignedInUser:
    """A signed-in user of the server."""

    def __init__(self, server: Live, name: str) -> None:
        self.server, self.name = server, name
        answer = server.call("POST", f"{API}auth/register/", {"username": name, "password": PASSWORD})
        assert answer.status == 201, answer.text
        self.authorization = f"Bearer {json.loads(answer.text)['access']}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.server.call(method, path, body, Authorization=self.authorization, **headers)

    def create(self, path: str, body: Any) -> Any:
        """Return what a POST has created."""
        answer = self.call("POST", path, body)
        assert answer.status == 201, answer.text
        return json.loads(answer.text)


@pytest.fixture
def make_user(server: Live) -> Callable[[], SignedInUser]:
    return lambda: SignedInUser(server, f"reader{time.monotonic_ns()}")


@pytest.fixture
def alice(make_user: Callable[[], SignedInUser]) -> SignedInUser:
    return make_user()


@pytest.fixture
def book(alice: SignedInUser) -> int:
    return int(alice.create(f"{API}books/", {"title": "Vidas Secas", "author": "Graciliano Ramos"})["id"])


def check_unavailable(response: Any) -> None:
    """Check that a response is 503, in JSON, and says when to try again."""
    assert response.status == 503, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(response.text)["code"] == "unavailable"
    assert int(response.headers["Retry-After"]) >= 1


def check_serves(alice: SignedInUser) -> None:
    """Check that every thread of every process serves reads and writes at the first attempt."""
    calls = [
        *([partial(alice.call, "GET", f"{API}users/me/")] * THREADS * WORKERS),
        *([partial(alice.call, "PATCH", f"{API}users/me/", {"bio": "Reader"})] * 4),
        *([partial(alice.server.call, "GET", f"{API}books/")] * THREADS),
    ]
    for _round in range(3):
        assert Counter(response.status for response in at_once(calls)) == {200: len(calls)}
    assert json.loads(alice.server.call("GET", "/readyz").text)["database"] == "ok"


def in_thread(call: Callable[[], Any]) -> Callable[[], Any]:
    """Start a call in a thread; the returned function waits for its response, or returns its exception."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> Any:
        thread.join(120)
        assert found, "The call has not ended."
        return found[0]

    return result


def check_nothing_written(alice: SignedInUser, mariadb: OwnMariaDB, book: int) -> None:
    """Check that no part of a review is there: neither the row nor its counters and events."""
    assert mariadb.run(f"SELECT id FROM reviews_review WHERE book_id = {book}") == []
    assert json.loads(alice.server.call("GET", f"{API}books/{book}/").text)["ratings_count"] == 0
    activity = json.loads(alice.call("GET", f"{API}users/me/activity/").text)["results"]
    assert [event["verb"] for event in activity if event["verb"].startswith("review")] == []
    assert verify_counters(alice.server).returncode == 0


def verify_counters(server: Live) -> Any:
    command = [sys.executable, "manage.py", "verify_counters"]
    return subprocess.run(command, cwd=TOP, env=server.env, capture_output=True, text=True, check=False)


def check_retry_writes_once(
    alice: SignedInUser, mariadb: OwnMariaDB, book: int, key: str, *, replayed: bool = False
) -> None:
    """Check that a retry with the key writes the review, unless the first call has, and a second one does not."""
    body = {"book": book, "rating": 4}
    found: list[Any] = []

    def is_finished() -> bool:
        # The key is released by the process that ran the first call, when it gets the next call with a key.
        found.append(alice.call("POST", REVIEWS, body, Idempotency_Key=key))
        return bool(found[-1].status != 409)

    wait_until(is_finished)
    first, second = found[-1], alice.call("POST", REVIEWS, body, Idempotency_Key=key)
    assert (first.status, second.status) == (201, 201), first.text
    assert (first.headers["Idempotency-Replayed"] == "true") is replayed
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.text == second.text
    assert len(mariadb.run(f"SELECT id FROM reviews_review WHERE book_id = {book}")) == 1
    assert verify_counters(alice.server).returncode == 0


# --- The database is stopped, killed, suspended ---------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_request_without_database_is_503_in_three_seconds(server, mariadb, alice, number):
    check_serves(alice)
    mariadb.end(number)
    try:
        for caller, method, path, body in (
            (server, "GET", f"{API}books/", None),
            (server, "GET", f"{API}books/?search=secas", None),
            (server, "POST", f"{API}auth/login/", {"username": alice.name, "password": PASSWORD}),
            (server, "POST", f"{API}auth/register/", {"username": "mallory", "password": PASSWORD}),
            (alice, "GET", f"{API}users/me/", None),
            (alice, "PATCH", f"{API}users/me/", {"bio": "x"}),
            (alice, "POST", f"{API}books/", {"title": "T", "author": "A"}),
        ):
            started = time.monotonic()
            check_unavailable(caller.call(method, path, body))
            assert time.monotonic() - started < 3
        assert server.call("GET", "/healthz").status == 200
        started = time.monotonic()
        ready = server.call("GET", "/readyz")
        assert time.monotonic() - started < 3
        assert (ready.status, json.loads(ready.text)["database"]) == (503, "down")
        assert int(ready.headers["Retry-After"]) >= 1
        staff = server.call("GET", "/admin/", Cookie="sessionid=0123456789abcdef0123456789abcdef")
        assert (staff.status, staff.headers["Retry-After"]) == (503, "5")
    finally:
        mariadb.start()
    check_serves(alice)


def test_write_during_database_crash_is_503_and_not_stored(server, mariadb, alice, book):
    """It has written the review and waits for the last of its locks."""
    body = {"book": book, "rating": 4}
    with mariadb.locked("SELECT * FROM core_counter FOR UPDATE"):
        result = in_thread(partial(alice.call, "POST", REVIEWS, body, Idempotency_Key="crash"))
        wait_until(mariadb.waiting)
        mariadb.end(signal.SIGKILL)
    response = result()
    mariadb.start()
    check_unavailable(response)
    check_nothing_written(alice, mariadb, book)
    check_retry_writes_once(alice, mariadb, book, "crash")


def test_suspended_database_is_503_and_frees_threads(server, mariadb, alice):
    """More requests than threads."""
    check_serves(alice)
    mariadb.suspend()
    try:
        started = time.monotonic()
        calls = [partial(alice.call, "GET", f"{API}users/me/")] * (THREADS * WORKERS + 4)
        results = [in_thread(call) for call in calls]
        for result in results:
            check_unavailable(result())
        # Those that wait for a thread are rejected after the first ones.
        assert time.monotonic() - started < 2 * DB_TIMEOUT
        assert server.call("GET", "/healthz").status == 200
    finally:
        mariadb.resume()
    check_serves(alice)


# --- Locks ----------------------------------------------------------------------------------------------------------


def test_unreleased_lock_is_503_before_graceful_timeout(server, mariadb, alice, book):
    """The longest request: it waits for the lock several times, and ends although the server is being stopped."""
    with mariadb.locked("SELECT * FROM core_counter FOR UPDATE"):
        started = time.monotonic()
        result = in_thread(partial(alice.call, "POST", REVIEWS, {"book": book, "rating": 4}))
        wait_until(mariadb.waiting)
        server.process.send_signal(signal.SIGTERM)
        check_unavailable(result())
        assert time.monotonic() - started < 30  # graceful_timeout
    assert server.process.wait(40) == 0
    server.start()
    check_nothing_written(alice, mariadb, book)
    check_serves(alice)


# --- The client is away ---------------------------------------------------------------------------------------------


def test_retry_after_a_lost_response_is_replayed(server, mariadb, alice, book):
    body = json.dumps({"book": book, "rating": 4}).encode()
    lines = [f"POST {REVIEWS} HTTP/1.1", "Host: localhost", f"Authorization: {alice.authorization}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Idempotency-Key: away", "", ""]
    with mariadb.locked("SELECT * FROM core_counter FOR UPDATE") as release:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall("\r\n".join(lines).encode() + body)
            wait_until(mariadb.waiting)
        release()
    wait_until(lambda: mariadb.transactions() == 0)
    check_retry_writes_once(alice, mariadb, book, "away", replayed=True)


# --- The server is stopped or killed --------------------------------------------------------------------------------


def test_sigterm_finishes_active_writes_and_refuses_new(server, mariadb, make_user, book):
    users = [make_user() for _ in range(8)]
    with mariadb.locked("SELECT * FROM core_counter FOR UPDATE") as release:
        results = [in_thread(partial(user.call, "POST", REVIEWS, {"book": book, "rating": 4})) for user in users]
        wait_until(lambda: mariadb.waiting() == 8)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(3)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        assert server.process.poll() is None
        release()
        statuses = [result().status for result in results]
    assert statuses == [201] * 8
    assert server.process.wait(40) == 0
    server.start()
    assert json.loads(server.call("GET", f"{API}books/{book}/").text)["ratings_count"] == 8
    assert verify_counters(server).returncode == 0


def children(pid: int) -> list[int]:
    """Return the ids of the child processes of a process."""
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("killed", ["workers", "all processes"])
def test_write_of_killed_server_is_rolled_back_and_retried(server, mariadb, alice, book, killed):
    body, workers = {"book": book, "rating": 4}, children(server.process.pid)
    assert len(workers) == WORKERS
    with mariadb.locked("SELECT * FROM core_counter FOR UPDATE"):
        result = in_thread(partial(alice.call, "POST", REVIEWS, body, Idempotency_Key=killed))
        wait_until(mariadb.waiting)
        for pid in [*([server.process.pid] if killed == "all processes" else []), *workers]:
            os.kill(pid, signal.SIGKILL)
        assert isinstance(result(), OSError)
    if killed == "workers":
        wait_until(lambda: len(set(children(server.process.pid)) - set(workers)) == WORKERS)
        assert server.process.poll() is None
    else:
        server.process.wait(20)
        server.start()
    # The key of a killed call is refused for 90 seconds, until the call cannot run any more.
    early = alice.call("POST", REVIEWS, body, Idempotency_Key=killed)
    assert (early.status, json.loads(early.text)["code"]) == (409, "idempotency_in_progress")
    assert int(early.headers["Retry-After"]) >= 1
    wait_until(lambda: mariadb.transactions() == 0)
    check_serves(alice)
    check_nothing_written(alice, mariadb, book)
    mariadb.run("UPDATE core_idempotencyrecord SET created_at = created_at - INTERVAL 91 SECOND WHERE status IS NULL")
    check_retry_writes_once(alice, mariadb, book, killed)


def test_connections_stay_within_the_documented_number(server, mariadb, alice):
    """Thirteen for each worker, and one for each /readyz that is being answered."""
    mariadb.run("FLUSH STATUS")
    calls = [partial(alice.call, "GET", f"{API}users/me/")] * 60 + [partial(server.call, "GET", "/readyz")] * 4
    for _round in range(3):
        assert {200} <= {response.status for response in at_once(calls)} <= {200, 503}
    [(_name, most)] = mariadb.run("SHOW STATUS LIKE 'Max_used_connections'")
    assert int(most) <= WORKERS * 13 + 4 + 1  # and our own
