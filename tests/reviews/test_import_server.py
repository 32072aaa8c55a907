"""Imports on a real server: they survive SIGTERM and killed workers."""

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.reviews.exports import book, goodreads
from tests.server import TOP, running_server, server_environment, wait_for

ROWS = 120


class ServerClient:
    """API client of a test server, with access to its database."""

    def __init__(self, address: str, home: Path) -> None:
        self.address = address.removeprefix("http://")
        self.home = home
        body = {"username": "live", "password": "um-bom-segredo-7"}
        exists = self.query("count(*) FROM accounts_user")
        self.token = self.call("POST", f"auth/{'login' if exists else 'register'}/", body)["access"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=20)
        if not isinstance(body, bytes | None):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        if path.startswith("users/"):
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, f"/api/v1/{path}", body, headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status < 300, text
        return json.loads(text)

    def upload(self, data: bytes) -> str:
        parts = [("source", "", b"goodreads"), ("file", '; filename="a.csv"', data)]
        lines = [
            b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), more.encode(), value)
            for name, more, value in parts
        ]
        created = self.call(
            "POST",
            "users/me/imports/",
            b"".join(lines) + b"--x--\r\n",
            **{"Content-Type": "multipart/form-data; boundary=x"},
        )
        return f"users/me/imports/{created['id']}/"

    def poll(self, path: str, enough: int, seconds: float = 60) -> dict[str, Any]:
        """Wait until this many rows are done, or the import has ended if they are all; return the report."""
        end = time.monotonic() + seconds
        while (report := self.call("GET", path))["done"] < enough or (enough == ROWS and not report["ended_at"]):
            assert time.monotonic() < end, report
            time.sleep(0.05)
        return report

    def query(self, what: str) -> Any:
        with closing(sqlite3.connect(self.home / "db.sqlite3", timeout=20)) as database:
            return database.execute(f"SELECT {what}").fetchone()[0]

    def check_finished(self, path: str) -> None:
        report = self.poll(path, ROWS)
        assert (report["status"], report["created"], report["failed"]) == ("done", ROWS, 0)
        assert self.query("count(*) FROM reviews_review") == self.query("count(*) FROM catalog_book") == ROWS
        assert self.query("content IS NULL FROM reviews_reviewimport") == 1


@pytest.fixture
def data() -> bytes:
    return goodreads(*(book(n) for n in range(ROWS)))


def test_restarted_server_resumes_the_import(tmp_path: Path, data: bytes):
    with running_server(tmp_path) as address:
        path = ServerClient(address, tmp_path).upload(data)
        assert ServerClient(address, tmp_path).poll(path, 20)["status"] == "running"
        began = time.monotonic()
    assert time.monotonic() - began < 40  # gunicorn kills workers after 30 s
    with running_server(tmp_path) as address:
        ServerClient(address, tmp_path).check_finished(path)
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_killed_worker_is_replaced(tmp_path: Path, data: bytes):
    with running_server(tmp_path) as address:
        client = ServerClient(address, tmp_path)
        path = client.upload(data)
        client.poll(path, 20)
        worker = re.findall(r"Booting worker with pid: ([0-9]+)", (tmp_path / "server.log").read_text())[-1]
        os.kill(int(worker), signal.SIGKILL)
        wait_for(f"{address}/healthz")
        done = client.query("rows_processed FROM reviews_reviewimport")
        assert client.query("count(*) FROM reviews_review") == done < ROWS
        # Expire the lease, instead of waiting for a minute.
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as database:
            database.execute("UPDATE core_queuedtask SET run_after = created_at WHERE status = 'READY'")
            database.commit()
        client.check_finished(path)


def test_server_can_leave_tasks_to_separate_workers(tmp_path: Path):
    settings = {"JOBS": "worker"}
    with running_server(tmp_path, **settings) as address:
        client = ServerClient(address, tmp_path)
        path = client.upload(goodreads({}))
        time.sleep(1)  # a thread of the server would be woken at once
        assert client.call("GET", path)["status"] == "queued"
        env = server_environment(tmp_path, 8000)
        once = [sys.executable, "manage.py", "run_worker", "--once"]
        subprocess.run(once, env=env, cwd=TOP, check=True, capture_output=True)
        assert client.call("GET", path)["status"] == "done"
