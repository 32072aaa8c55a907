"""The short form of script/load-with-restarts: a few users, while Redis and the database are restarted."""

import shutil
import subprocess
import sys

import pytest

from tests.server import TOP

NEEDED = ("mariadbd", "mariadb-install-db", "mariadb", "redis-server", "openssl")


@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="MariaDB and Redis are not installed")
def test_nothing_is_lost_while_services_are_restarted():
    command = [sys.executable, "script/load-with-restarts", "--clients", "15", "--seconds", "20"]
    ended = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "All counters are correct." in ended.stdout
