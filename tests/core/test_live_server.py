"""Behavior of the real application server: chunked and truncated bodies, connections, signals."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.test_settings import P256, ROOT
from tests.server import manage, migrated

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Live:
    """BookBridge under gunicorn, on SQLite in a directory of its own, or on a database that `prepare` migrates."""

    def __init__(self, home: Path, prepare: list[str] | None = None, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "x" * 50,
            "JWT_PRIVATE_KEY": P256,
            "DATABASE_URL": f"sqlite:///{home}/db.sqlite3",
            "LOG_DIR": str(home / "log"),
            "PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": str(home / "metrics"),
            "RATE_REGISTER": "off",
            **settings,
        }
        if prepare:
            manage(prepare, self.env)
        else:
            shutil.copy(migrated(), home / "db.sqlite3")
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "--config", "bookbridge/gunicorn.conf.py"]
        with (self.home / "stderr").open("ab") as stderr:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=stderr, stdout=stderr)
        for _ in range(200):
            try:
                if self.call("GET", "/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.home / "stderr").read_text())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def call(self, method: str, path: str, body: Any = None, chunked: bool = False, **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json"} | headers
        pieces: Any = (body[n : n + 7] for n in range(0, len(body), 7)) if chunked else body
        connection.request(method, path, pieces, headers, encode_chunked=chunked)
        response = connection.getresponse()
        response.text = response.read()
        connection.close()
        return response

    def raw(self, *pieces: bytes, wait: float = 10) -> bytes:
        """Send bytes and read until the server closes the connection; keep the socket open for sending."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as link:
            received = b""
            try:
                for piece in pieces:
                    link.sendall(piece)
                while more := link.recv(65536):
                    received += more
            except (TimeoutError, ConnectionError):
                pass
            return received


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    live = Live(tmp_path_factory.mktemp("live"))
    yield live
    live.stop()
    assert "Traceback" not in (live.home / "stderr").read_text()


@pytest.fixture(scope="module")
def token(live: Live) -> str:
    body = {"username": "live", "password": "um-bom-segredo-7"}
    return "Bearer " + json.loads(live.call("POST", "/api/v1/auth/register", body).text)["access"]


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    start = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines]
    return ("\r\n".join(start) + "\r\n\r\n").encode("latin-1")


def problem(received: bytes) -> dict[str, Any]:
    headers, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in headers.lower(), received
    return json.loads(body)


@pytest.mark.parametrize("size", [1, 6, 7, 8, 100, 100_000])
def test_chunked_body_is_read(live, token, size):
    bio = "x" * min(size, 1000)
    body = {"bio": bio, "unknown": "y" * size}
    for path in ("/api/v1/users/me/", "/api/v1/users/me"):
        response = live.call("PATCH", path, body, chunked=True, Authorization=token)
        assert response.status == 200, response.text
        assert json.loads(response.text)["bio"] == bio


def test_chunked_post_with_idempotency_key_is_replayed(live, token):
    body = {"title": "Vidas Secas", "author": "Graciliano Ramos"}
    sent = {"Authorization": token, "Idempotency_Key": "chunks"}
    first = live.call("POST", "/api/v1/books", body, chunked=True, **sent)
    again = live.call("POST", "/api/v1/books/", body, **sent)
    assert (first.status, again.status) == (201, 201)
    assert again.text == first.text
    assert again.headers["Idempotency-Replayed"] == "true"


def test_empty_chunked_body_is_an_empty_body(live):
    received = live.raw(head("/api/v1/auth/login/", "Transfer-Encoding: chunked", "Connection: close"), b"0\r\n\r\n")
    assert problem(received)["code"] == "invalid"


def test_too_large_length_is_413_before_the_body(live):
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    started = time.monotonic()
    connection.request("POST", "/api/v1/auth/login/", headers={"Content-Length": "900000000"})
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (413, "too_large")
    assert time.monotonic() - started < 20  # the body is never sent
    connection.close()


def test_chunked_body_over_the_limit_is_413(live):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as link:
        link.sendall(head("/api/v1/auth/login/", "Transfer-Encoding: chunked"))
        try:
            while sent < 200_000_000:
                link.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
        assert sent < 20_000_000  # only what the buffers of two sockets take
    over = chunk * 15 + b"4241\r\n" + b" " * 0x4241
    received = live.raw(head("/api/v1/auth/login/", "Transfer-Encoding: chunked"), over)
    assert problem(received)["status"] == 413


def test_chunked_body_at_the_limit_is_read(live):
    body = b" " * 999_998 + b"{}"
    received = live.raw(
        head("/api/v1/auth/login/", "Transfer-Encoding: chunked", "Connection: close"),
        b"f4240\r\n" + body + b"\r\n0\r\n\r\n",
    )
    assert problem(received)["code"] == "invalid"


@pytest.mark.parametrize(
    "body",
    [b"zz\r\nabc", b"-1\r\n", b"5\r\nab", b"5\r\nabcdefgh\r\n", b"", b"ffffffffffffffffff\r\na", b"5;" + b"x" * 9000],
    ids=["no number", "negative", "broken off", "wrong length", "nothing", "huge number", "long extension"],
)
def test_broken_chunks_are_400(live, body):
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as link:
        link.sendall(head("/api/v1/auth/login/", "Transfer-Encoding: chunked") + body)
        link.shutdown(socket.SHUT_WR)
        received = link.recv(65536)
    assert received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")) or received == b"", received


def test_broken_chunks_are_logged_with_the_error_type(live):
    live.raw(head("/api/v1/auth/login/", "Transfer-Encoding: chunked", "Connection: close"), b"zz\r\nabc")
    lines = [json.loads(line) for line in (live.home / "log" / "app.log").read_text().splitlines()]
    said = [line["message"] for line in lines if line["logger"] == "bookbridge.requests"]
    assert said[-1] == "a chunked body could not be read: InvalidChunkSize"


def test_truncated_body_is_400(live):
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as link:
        link.sendall(head("/api/v1/auth/login/", "Content-Length: 100") + b'{"a"')
        link.shutdown(socket.SHUT_WR)
        received = link.recv(65536)
    assert received.startswith(b"HTTP/1.1 400"), received


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Content-Length: 2", "Content-Length: 3"],
        ["Content-Length: \xb2"],
        ["Content-Length: -1"],
        ["Transfer-Encoding: gzip, chunked, identity"],
        ["X-Odd\x00: 1"],
        ["Content-Type: application/json; charset=\x00"],
    ],
)
def test_ambiguous_request_is_refused(live, lines):
    received = live.raw(head("/api/v1/auth/login/", *lines), b"{}", wait=3)
    assert received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")) or b'"status":400' in received, received


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("nothing/", 50_000, 404), ("books/", 900_000, 401), ("books/", 1_100_000, 413), ("books/", 7_000_000, 413)],
)
def test_connection_is_reusable_after_an_unread_body(live, path, size, status):
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=10)
    for _ in range(3):
        connection.request("POST", f"/api/v1/{path}", b"x" * size, {"Content-Type": "application/json"})
        assert json.loads(connection.getresponse().read())["status"] == status
    connection.close()


def test_head_has_the_headers_of_get_and_no_body(live):
    get, response = live.call("GET", "/api/v1/books/"), live.call("HEAD", "/api/v1/books/")
    assert response.text == b""
    assert response.headers["Content-Length"] == get.headers["Content-Length"]
    assert response.headers["Content-Type"] == get.headers["Content-Type"]
    assert response.headers["ETag"] == get.headers["ETag"]


def test_start_names_the_database_and_what_is_not_set(live):
    lines = (live.home / "stderr").read_text()
    assert f"database {live.home}/db.sqlite3, cache in each process, tasks inline" in lines
    assert "EMAIL_URL is not set: e-mails are not sent but printed here" in lines
    assert "APP_URL is not set: links in e-mails begin with http://localhost" in lines
    assert "DATABASE_URL is not set" not in lines


def test_server_header_has_no_version(live):
    assert live.call("GET", "/healthz").headers["Server"] == "BookBridge"


def test_metrics_are_summed_over_workers(live):
    def total() -> float:
        lines = live.call("GET", "/metrics").text.decode().splitlines()
        return sum(
            float(line.split()[-1])
            for line in lines
            if line.startswith("bookbridge_requests_total") and "healthz" in line
        )

    before = total()
    for _ in range(20):
        live.call("GET", "/healthz")
    assert total() == before + 20


def test_access_log_has_one_line_per_request(live):
    log = live.home / "log" / "access.log"
    before = len(log.read_text().splitlines())
    for _ in range(10):
        live.call("GET", "/api/v1/books/")
    lines = log.read_text().splitlines()[before:]
    assert len(lines) == 10
    assert len({json.loads(line)["request_id"] for line in lines}) == 10


def test_50_idle_connections_block_no_request(live):
    """A client that stops in the middle of a request is the reverse proxy's business: it reads whole requests first."""
    links = [socket.create_connection(("127.0.0.1", live.port)) for _ in range(50)]
    try:
        time.sleep(0.5)
        assert live.call("GET", "/healthz").status == 200
    finally:
        for link in links:
            link.close()


def test_active_request_finishes_on_sigterm(live):
    # The second half of the body comes after the signal, so the request is active until then.
    link = socket.create_connection(("127.0.0.1", live.port), timeout=20)
    link.sendall(head("/api/v1/auth/login/", "Content-Length: 2", "Connection: close") + b"{")
    time.sleep(0.5)
    live.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    link.sendall(b"}")
    received = b""
    while more := link.recv(65536):
        received += more
    link.close()
    assert problem(received)["code"] == "invalid"
    assert live.process.wait(20) == 0
    live.start()


def test_new_connection_is_refused_at_once_on_sigterm(live):
    link = socket.create_connection(("127.0.0.1", live.port), timeout=20)
    link.sendall(head("/api/v1/auth/login/", "Content-Length: 2", "Connection: close") + b"{")
    time.sleep(0.5)
    live.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", live.port), timeout=5)
    assert live.process.poll() is None  # it still waits for the request
    link.sendall(b"}")
    assert b"HTTP/1.1 400" in link.recv(65536)
    link.close()
    assert live.process.wait(20) == 0
    live.start()


@pytest.fixture
def single_process(live: Live) -> Iterator[None]:
    """Run the server in one process, because two do not accept equally many connections."""
    live.stop()
    live.env["WEB_CONCURRENCY"] = "1"
    live.start()
    yield
    live.stop()
    del live.env["WEB_CONCURRENCY"]
    live.start()


def test_overloaded_server_rejects_and_answers_health_checks(live, single_process):
    """50 requests wait for their bodies in 8 threads; further ones are rejected while those are served in the end."""
    links = [socket.create_connection(("127.0.0.1", live.port), timeout=60) for _ in range(50)]
    try:
        for link in links:
            link.sendall(head("/api/v1/auth/login/", "Content-Length: 2", "Connection: close") + b"{")
        time.sleep(1)
        for _ in range(5):
            response = live.call("GET", "/api/v1/books/", Accept_Language="pt-br", Origin="https://app.example.org")
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert json.loads(response.text)["code"] == "unavailable"
            assert json.loads(response.text)["title"] == "Serviço indisponível"
            assert [live.call("GET", path).status for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3
        for link in links:
            link.sendall(b"}")
        statuses = [link.recv(65536)[9:12] for link in links]
    finally:
        for link in links:
            link.close()
    assert set(statuses) == {b"400", b"503"}
    assert live.call("GET", "/api/v1/books/").status == 200
    assert b'route="rejected",status="503"' in live.call("GET", "/metrics").text


def test_no_5xx_and_no_unexpected_log_lines(live):
    lines = [json.loads(line) for line in (live.home / "log" / "access.log").read_text().splitlines()]
    # Those that the overloaded server has rejected.
    assert {line["status"] for line in lines if line["status"] >= 500} <= {503}
    app = live.home / "log" / "app.log"
    said = [json.loads(line) for line in app.read_text().splitlines()] if app.exists() else []
    # Only bodies that could not be read, at INFO: those are the client's fault.
    assert [line for line in said if (line["level"], line["logger"]) != ("INFO", "bookbridge.requests")] == []
