"""W3C Trace Context: the trace of a request is logged and continued by its tasks, and not sent to other services."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from core.observability.trace_context import continue_trace, current_trace_id, new_traceparent
from core.tasks.decorators import task
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.catalog.provider_server import Server, running
from tests.core.logs import Lines, new_lines

pytestmark = pytest.mark.django_db

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def access_log() -> Lines:
    return new_lines("access.log")


@pytest.fixture
def app_log() -> Lines:
    return new_lines("app.log")


@pytest.fixture
def open_library(settings: Any) -> Iterator[Server]:
    with running() as server:
        settings.OPENLIBRARY_URL = server.url
        yield server


@task()
def fail_in_trace() -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    "given",
    [
        TRACEPARENT,
        f"00-{TRACE}-{PARENT}-00",
        f"00-{TRACE}-{PARENT}-ff",  # flags that are not defined yet
        f"cc-{TRACE}-{PARENT}-01",  # a later version
        f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
    ],
)
def test_valid_traceparent_is_continued(anonymous: APIClient, access_log: Lines, given: str) -> None:
    anonymous.get("/api/v1/", HTTP_TRACEPARENT=given)
    assert [line["trace_id"] for line in access_log()] == [TRACE]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "-",
        TRACE,
        TRACEPARENT.upper(),
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01-",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"{TRACEPARENT},{TRACEPARENT}",  # two headers
        f"{TRACEPARENT}\n",
        f" {TRACEPARENT}",
        "0" * 8000,
    ],
)
def test_malformed_traceparent_starts_a_new_trace(anonymous: APIClient, access_log: Lines, given: str) -> None:
    assert anonymous.get("/api/v1/", HTTP_TRACEPARENT=given).status_code == 200
    [line] = access_log()
    assert re.fullmatch("(?!0{32})[0-9a-f]{32}", line["trace_id"])
    assert line["trace_id"] != TRACE


def test_every_request_without_traceparent_is_a_new_trace(anonymous: APIClient, access_log: Lines) -> None:
    for _ in range(3):
        anonymous.get("/api/v1/")
    assert len({line["trace_id"] for line in access_log()}) == 3
    assert current_trace_id() == "-"
    assert new_traceparent() is None


@pytest.mark.parametrize(("flags", "passed_on"), [("00", "00"), ("01", "01"), ("02", "00"), ("ff", "01")])
def test_only_the_sampled_flag_is_passed_on(flags: str, passed_on: str) -> None:
    with continue_trace(f"00-{TRACE}-{PARENT}-{flags}"):
        traceparents = [str(new_traceparent()) for _ in range(2)]
    for traceparent in traceparents:
        assert re.fullmatch(f"00-{TRACE}-(?!0{{16}}|{PARENT})[0-9a-f]{{16}}-{passed_on}", traceparent)
    assert traceparents[0] != traceparents[1]


def test_provider_does_not_get_the_trace_of_the_request(as_alice: APIClient, open_library: Server) -> None:
    received: list[str | None] = []

    def respond(handler: Any) -> None:
        received.append(handler.headers["traceparent"])
        handler.send(b"{}")

    open_library.respond = respond
    as_alice.post("/api/v1/books/lookup/", {"isbn": "9780316015844"}, HTTP_TRACEPARENT=TRACEPARENT)
    assert received == [None]


def test_worker_logs_the_trace_of_the_request(app_log: Lines) -> None:
    with continue_trace(TRACEPARENT):
        fail_in_trace.enqueue()
    run_pending()
    assert [(line["message"].split()[-1], line["trace_id"]) for line in app_log()] == [("failed", TRACE)]
    # Before the migration of this column, and for periodic tasks.
    QueuedTask.objects.update(traceparent=None, run_after="2026-01-01T00:00Z")
    run_pending()
    assert re.fullmatch("[0-9a-f]{32}", app_log()[-1]["trace_id"])
    assert app_log()[-1]["trace_id"] != TRACE
