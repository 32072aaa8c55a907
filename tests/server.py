"""A server of this checkout in a process of its own, with its own SQLite database."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

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


@cache
def migrated() -> Path:
    """Return a migrated SQLite file, created once per test process because migrations take seconds."""
    home = Path(tempfile.mkdtemp(prefix="bookbridge-tests-"))
    atexit.register(shutil.rmtree, home)
    manage(["migrate", "-v0"], server_environment(home, 8000))  # no port is opened
    return home / "db.sqlite3"


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
        config = ["--config", "bookbridge/gunicorn.py"]
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
