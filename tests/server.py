"""A real server of this checkout in a process of its own, with an SQLite file of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]

# What the test run's own settings have put into the environment and a server must not take from there.
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "JWT_PRIVATE_KEY")


def server_environment(home: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a server in development that keeps everything under `home`."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    own = {"DEBUG": "on", "PORT": str(port), "DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "LOG_DIR": str(home)}
    return inherited | own | settings


@contextmanager
def running_server(home: Path, *prepare: list[str], **settings: str) -> Iterator[str]:
    """The address of a server, after `migrate` and the management commands of `prepare`; ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = server_environment(home, port, **settings)
    for command in (["migrate", "-v0"], *prepare):
        subprocess.run([sys.executable, "manage.py", *command], env=env, cwd=TOP, check=True, capture_output=True)
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
    """Return once the address answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
