"""Imports on the real server: its own thread works them off, and neither SIGTERM nor a killed worker loses any."""

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

ROWS = 250


class Reader:
    """Somebody at a server, whose database can be looked into."""

    def __init__(self, address: str, home: Path) -> None:
        self.address = address.removeprefix("http://")
        self.home = home
        body = {"username": "live", "password": "um-bom-segredo-7"}
        known = self.ask("count(*) FROM accounts_user")
        self.token = self.call("POST", f"auth/{'login' if known else 'register'}/", body)["access"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=20)
        if not isinstance(body, bytes | None):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        if path.startswith("users/"):
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, f"/api/v1/{path}", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, text
        return json.loads(text)

    def upload(self, data: bytes) -> str:
        parts = [("source", "", b"goodreads"), ("file", '; filename="a.csv"', data)]
        lines = [
            b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), more.encode(), value)
            for name, more, value in parts
        ]
        begun = self.call(
            "POST",
            "users/me/imports/",
            b"".join(lines) + b"--x--\r\n",
            **{"Content-Type": "multipart/form-data; boundary=x"},
        )
        return f"users/me/imports/{begun['id']}/"

    def poll(self, path: str, enough: int, seconds: float = 60) -> dict[str, Any]:
        """The report, once so many rows are done; of all of them, once that is told to be the end."""
        end = time.monotonic() + seconds
        while (report := self.call("GET", path))["done"] < enough or (enough == ROWS and not report["ended_at"]):
            assert time.monotonic() < end, report
            time.sleep(0.05)
        return report

    def ask(self, what: str) -> Any:
        with closing(sqlite3.connect(self.home / "db.sqlite3", timeout=20)) as database:
            return database.execute(f"SELECT {what}").fetchone()[0]

    def at_the_end(self, path: str) -> None:
        report = self.poll(path, ROWS)
        assert (report["status"], report["created"], report["failed"]) == ("done", ROWS, 0)
        assert self.ask("count(*) FROM reviews_review") == self.ask("count(*) FROM catalog_book") == ROWS
        assert self.ask("content IS NULL FROM reviews_import") == 1


@pytest.fixture
def data() -> bytes:
    return goodreads(*(book(n) for n in range(ROWS)))


def test_a_server_that_is_stopped_goes_on_when_it_is_back(tmp_path: Path, data: bytes):
    with running_server(tmp_path) as address:
        path = Reader(address, tmp_path).upload(data)
        assert Reader(address, tmp_path).poll(path, 20)["status"] == "running"
        began = time.monotonic()
    assert time.monotonic() - began < 40  # gunicorn's own limit is 30 s, then it kills
    with running_server(tmp_path) as address:
        Reader(address, tmp_path).at_the_end(path)
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_a_worker_that_is_killed_is_followed_by_another(tmp_path: Path, data: bytes):
    with running_server(tmp_path) as address:
        reader = Reader(address, tmp_path)
        path = reader.upload(data)
        reader.poll(path, 20)
        worker = re.findall(r"Booting worker with pid: ([0-9]+)", (tmp_path / "server.log").read_text())[-1]
        os.kill(int(worker), signal.SIGKILL)
        wait_for(f"{address}/healthz")
        done = reader.ask("done FROM reviews_import")
        assert reader.ask("count(*) FROM reviews_review") == done < ROWS
        # Its lease is over: nobody waits a minute here.
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as database:
            database.execute("UPDATE api_queuedtask SET run_after = created_at WHERE status = 'READY'")
            database.commit()
        reader.at_the_end(path)


def test_the_server_leaves_jobs_to_workers_of_their_own(tmp_path: Path):
    settings = {"JOBS": "worker"}
    with running_server(tmp_path, **settings) as address:
        reader = Reader(address, tmp_path)
        path = reader.upload(goodreads({}))
        time.sleep(3)
        assert reader.call("GET", path)["status"] == "queued"
        env = server_environment(tmp_path, 8000)
        once = [sys.executable, "manage.py", "run_worker", "--once"]
        subprocess.run(once, env=env, cwd=TOP, check=True, capture_output=True)
        assert reader.call("GET", path)["status"] == "done"
