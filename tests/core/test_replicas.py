"""A replica that is down or silent delays one request and fails none: the primary responds."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.server import TOP, running_server, server_environment

pytest.importorskip("MySQLdb", reason="a replica is a MariaDB or a MySQL")


@pytest.fixture(params=["dead", "silent"])
def replica(request):
    """The URL of a replica that is down, or of one that accepts connections and never responds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if request.param == "silent":
            taken.listen(100)
        yield f"mysql://reader@127.0.0.1:{taken.getsockname()[1]}/books"


def test_primary_serves_anonymous_reads_while_a_replica_is_down(replica, tmp_path):
    with running_server(tmp_path, REPLICA_URLS=replica) as address:
        for _ in range(3):
            for path in ("books/", "books/?ordering=title", "clubs/"):
                began = time.perf_counter()
                with urllib.request.urlopen(f"{address}/api/v1/{path}", timeout=20) as response:
                    assert (response.status, json.load(response)["results"]) == (200, [])
                assert time.perf_counter() - began < 9


@pytest.mark.parametrize(
    "command", [["manage.py", "migrate"], ["-m", "gunicorn", "--config", "bookbridge/gunicorn.conf.py"]]
)
def test_start_without_database_prints_one_line(command, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"mysql://bookbridge:sesame@127.0.0.1:{closed.getsockname()[1]}/books"
        env = server_environment(tmp_path, 8000, DATABASE_URL=url)
        ended = subprocess.run(
            [sys.executable, *command], env=env, cwd=TOP, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "sesame" not in ended.stderr
    assert "DATABASE_URL: the database cannot be reached: " in ended.stderr.splitlines()[-1]


def test_start_with_other_database_errors_prints_them(tmp_path):
    (tmp_path / "db.sqlite3").write_text("This is no database. " * 100)
    env = server_environment(tmp_path, 8000)
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate"], env=env, cwd=TOP, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "file is not a database" in ended.stderr
