"""A server of this checkout in a process of its own, with its own SQLite database."""

import fcntl
import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[1]

# Variables set by the test settings that a server must not inherit.
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "JWT_PRIVATE_KEY")


def server_environment(home: Path, port: int, **settings: str) -> dict[str, str]:
    """Return the environment of a development server that stores everything under `home`."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    own = {"DEBUG": "on", "PORT": str(port), "DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "LOG_DIR": str(home)}
    return inherited | own | settings


def manage(command: list[str], env: dict[str, str]) -> None:
    """Run a management command in an environment."""
    subprocess.run([sys.executable, "manage.py", *command], env=env, cwd=TOP, check=True, capture_output=True)


# manage.py, but an import waits at row N of each pass, so that a test can interrupt it before its end.
PAUSING_MANAGE = """
import runpy, sys, time
from core.management.progress import ProgressReporter

advance, pause_at = ProgressReporter.advance, int(sys.argv.pop(1))

def advance_and_pause(reporter, position):
    advance(reporter, position)
    if reporter._rows == pause_at:
        time.sleep(2)

ProgressReporter.advance = advance_and_pause
sys.argv[0] = "manage.py"
runpy.run_path("manage.py", run_name="__main__")
"""


def pausing_manage(row: int) -> list[str]:
    """Return the command line of a manage.py that waits at this row of an import; to be run in TOP."""
    return [sys.executable, "-c", PAUSING_MANAGE, str(row)]


@cache
def migrated() -> Path:
    """Return a migrated SQLite file. It is created again after any change of the code or of the installed packages."""
    packages = [path.parent for path in TOP.glob("*/__init__.py") if path.parent.name != "tests"]
    state = hashlib.sha256(sys.version.encode())
    for path in sorted([TOP / "requirements.txt", *(path for package in packages for path in package.rglob("*.py"))]):
        state.update(str(path).encode() + path.read_bytes())
    made = Path(sys.prefix) / "tests" / f"{state.hexdigest()}.sqlite3"
    made.parent.mkdir(exist_ok=True)
    with (made.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for older in made.parent.glob("*.sqlite3"):
                older.unlink()
            with tempfile.TemporaryDirectory(dir=made.parent) as home:
                manage(["migrate", "-v0"], server_environment(Path(home), 8000))  # no port is opened
                (Path(home) / "db.sqlite3").rename(made)
    return made


def load_migrated(connection: Any, **kwargs: Any) -> None:
    """Copy the migrated file to an empty database in memory that has just been opened: `migrate` then does nothing."""
    if connection.vendor != "sqlite" or not connection.is_in_memory_db():
        return
    if not connection.connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        with closing(sqlite3.connect(migrated())) as file:
            file.backup(connection.connection)


@contextmanager
def running_server(home: Path, *prepare: list[str], **settings: str) -> Iterator[str]:
    """Run a server after `migrate` and the management commands of `prepare`. Yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = server_environment(home, port, **settings)
    if "DATABASE_URL" in settings:
        prepare = (["migrate", "-v0"], *prepare)
    elif not (home / "db.sqlite3").exists():  # a restarted server continues with its database
        shutil.copy(migrated(), home / "db.sqlite3")
    for command in prepare:
        manage(command, env)
    gunicorn = Path(sys.executable).with_name("gunicorn")
    with (home / "server.log").open("wb") as log:
        config = ["--config", "bookbridge/gunicorn.conf.py"]
        server = subprocess.Popen([gunicorn, *config], env=env, cwd=TOP, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(40)


def wait_for(url: str, seconds: float = 30) -> None:
    """Wait until the URL responds."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
