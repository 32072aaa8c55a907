"""Reports of unhandled exceptions, which a local server receives instead of Sentry."""

import gzip
import json
import logging
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from core.observability.trace_context import continue_trace
from core.tasks.decorators import task
from core.tasks.worker import run_pending
from tests.core.test_live_server import Live
from tests.local_server import serving

sentry_sdk = pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
from core.observability import sentry  # noqa: E402  (needs sentry-sdk)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.core.views_for_tests"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
SECRET_TEXT = "alice@example.org reads Lolita"


class SentryServer(ThreadingHTTPServer):
    """Receives reports. `bodies` are the whole requests, decompressed and with their headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.dsn = f"http://key@127.0.0.1:{self.server_port}/7"

    def wait_for_events(self, number: int, seconds: float = 10) -> list[dict[str, Any]]:
        end = time.monotonic() + seconds
        while len(self.events) < number and time.monotonic() < end:
            time.sleep(0.02)
        return self.events


class Handler(BaseHTTPRequestHandler):
    server: SentryServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = (gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body).decode()
        self.server.bodies.append(f"{self.path}\n{self.headers}\n{text}")
        lines = [json.loads(line) for line in text.splitlines()]
        items = zip(lines[1::2], lines[2::2], strict=True)
        self.server.events += [payload for header, payload in items if header["type"] == "event"]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[SentryServer]:
    with serving(SentryServer()) as server:
        yield server


@contextmanager
def reporting_to(dsn: str) -> Iterator[None]:
    """Report to this DSN, as with SENTRY_DSN in the settings."""
    handler = sentry.UnhandledExceptionHandler()
    sentry.init(dsn, environment="tests")
    logging.getLogger().addHandler(handler)
    try:
        yield
        sentry_sdk.flush(2)
    finally:
        logging.getLogger().removeHandler(handler)
        sentry_sdk.get_client().close(timeout=0)
        sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def silent_dsn() -> Iterator[str]:
    """The DSN of a server that never responds; the system accepts the connections to it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://key@127.0.0.1:{silent.getsockname()[1]}/7"


@pytest.fixture
def reporting(server: SentryServer) -> Iterator[None]:
    with reporting_to(server.dsn):
        yield


def quote_private_text(*args: Any, **kwargs: Any) -> None:
    private = SECRET_TEXT
    try:
        raise IntegrityError(1062, f"Duplicate entry '{private}'")
    except IntegrityError as error:
        raise RuntimeError(private) from error


@task()
def read_secretly(*, title: str) -> None:
    raise LookupError(f"{title} {SECRET_TEXT}")


# --- What is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("reporting")
def test_exception_of_a_request_is_sent_with_its_ids(lenient: APIClient, server: SentryServer) -> None:
    response = lenient.get("/api/v1/probe/boom/", HTTP_X_REQUEST_ID="mine-1", HTTP_TRACEPARENT=TRACEPARENT)
    assert response.status_code == 500
    [event] = server.wait_for_events(1)
    assert event["tags"] == {"request_id": "mine-1", "trace_id": TRACE}
    assert event["contexts"]["trace"]["trace_id"] == TRACE
    assert (event["level"], event["environment"], event["platform"]) == ("error", "tests", "python")
    assert event["release"].startswith("bookbridge@")
    assert event["transaction"] == "api/v1/probe/boom/"
    [exception] = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("RuntimeError", "")
    frame = exception["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["context_line"].strip()) == ("get", "raise RuntimeError(SECRET)")


@pytest.mark.usefixtures("reporting")
def test_exception_outside_the_api_is_sent(lenient: APIClient, server: SentryServer) -> None:
    assert lenient.get("/api/v1/probe/bare/boom/?token=sesame").status_code == 500
    [event] = server.wait_for_events(1)
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert "sesame" not in server.bodies[0]


@pytest.mark.usefixtures("reporting")
def test_report_has_the_id_of_the_user_and_nothing_private(
    as_alice: APIClient, alice: User, server: SentryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client sends secrets wherever it can, and the exceptions quote them."""

    monkeypatch.setattr("accounts.models.User.update_profile", quote_private_text)
    as_alice.raise_request_exception = False
    as_alice.cookies["session"] = "sesame-cookie"
    response = as_alice.patch("/api/v1/users/me/", {"bio": SECRET_TEXT}, HTTP_USER_AGENT="sesame-agent")
    assert response.status_code == 500
    [event] = server.wait_for_events(1)
    assert event["user"] == {"id": str(alice.pk)}
    cause, raised = event["exception"]["values"]
    assert (cause["type"], cause["value"]) == ("IntegrityError", "1062")
    assert (raised["type"], raised["value"]) == ("RuntimeError", "")
    token = as_alice._credentials["HTTP_AUTHORIZATION"].split()[1]
    [body] = server.bodies
    for private in (token, "Bearer", "sesame", "Lolita", "@example.org", "alice", "Cookie"):
        assert private not in body
    assert set(event) <= {*sentry.EVENT_KEYS, "exception", "transaction", "tags", "user", "contexts"}


@pytest.mark.usefixtures("reporting")
def test_failed_task_is_sent_with_the_trace_of_its_request(server: SentryServer) -> None:
    with continue_trace(TRACEPARENT):
        read_secretly.enqueue(title="Ulysses")
    run_pending()
    [event] = server.wait_for_events(1)
    assert event["transaction"] == "tests.core.test_sentry.read_secretly"
    assert event["tags"] == {"request_id": "-", "trace_id": TRACE}
    assert event["exception"]["values"][0]["type"] == "LookupError"
    for private in ("Ulysses", "Lolita", "@example.org"):
        assert private not in server.bodies[0]


@pytest.mark.usefixtures("reporting")
def test_expected_errors_are_not_sent(
    lenient: APIClient, as_bob: APIClient, server: SentryServer, rate: Callable[..., None]
) -> None:
    lenient.get("/api/v1/nothing/")
    lenient.get("/api/v1/users/me/")
    lenient.get("/api/v1/", HTTP_HOST="evil.example")
    lenient.get("/api/v1/probe/refused/")
    lenient.post("/api/v1/auth/login/", b"{", content_type="application/json")
    as_bob.patch("/api/v1/users/me/", {"language": "nonsense"})
    rate("anon", 1)
    statuses = [lenient.get("/api/v1/books/").status_code for _ in range(2)]
    assert statuses[-1] == 429
    sentry_sdk.flush(2)
    assert server.events == []


# --- When it is off, slow or flooded ---------------------------------------------------------------------------------


def test_nothing_is_sent_without_dsn(lenient: APIClient, server: SentryServer) -> None:
    assert lenient.get("/api/v1/probe/boom/").status_code == 500
    assert not sentry_sdk.get_client().is_active()
    assert not [h for h in logging.getLogger().handlers if isinstance(h, sentry.UnhandledExceptionHandler)]
    assert server.bodies == []


def test_server_that_hangs_delays_no_response(lenient: APIClient, silent_dsn: str) -> None:
    with reporting_to(silent_dsn):
        lenient.get("/api/v1/probe/boom/")  # the first one loads what it needs
        started = time.monotonic()
        for _ in range(sentry.MAX_PER_MINUTE - 1):
            assert lenient.get("/api/v1/probe/boom/").status_code == 500
        assert time.monotonic() - started < 2


@pytest.mark.usefixtures("reporting")
def test_each_type_of_exception_has_a_limit(lenient: APIClient, server: SentryServer) -> None:
    for _ in range(sentry.MAX_PER_MINUTE + 5):
        lenient.get("/api/v1/probe/boom/")
    lenient.get("/api/v1/probe/down/")
    events = server.wait_for_events(sentry.MAX_PER_MINUTE + 1)
    types = [event["exception"]["values"][0]["type"] for event in events]
    assert types == ["RuntimeError"] * sentry.MAX_PER_MINUTE + ["OperationalError"]


# --- The real server -------------------------------------------------------------------------------------------------


def test_forked_process_of_the_server_reports_a_failed_task(server: SentryServer, tmp_path: Path) -> None:
    live = Live(tmp_path, SENTRY_DSN=server.dsn, SENTRY_ENVIRONMENT="live")
    try:
        now = timezone.now().strftime("%Y-%m-%d %H:%M:%S")
        row = ("k", "meetings.tasks.send_reminder", "[]", '{"nonsense": 1}', "READY", now, 0, "", now, TRACEPARENT)
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as database, database:
            database.execute(
                "INSERT INTO core_queuedtask (key, task_path, args, kwargs, status, run_after, attempts, error,"
                " created_at, traceparent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        [event] = server.wait_for_events(1, seconds=20)
    finally:
        live.stop()
    assert (event["environment"], event["transaction"]) == ("live", "meetings.tasks.send_reminder")
    assert event["exception"]["values"][0]["type"] == "TypeError"
    assert event["tags"]["trace_id"] == TRACE
