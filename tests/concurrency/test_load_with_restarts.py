"""The short form of script/load-with-restarts: a few users, while Redis and the database are restarted or fail."""

import shutil
import subprocess
import sys

import pytest
from django.db import connection

from tests.server import TOP

NEEDED = ("mariadbd", "mariadb-install-db", "mariadb", "redis-server", "openssl")
# wsrep_sst_rsync comes with Debian's mariadb-server, which depends on galera-4.
NEEDED_FOR_GALERA = (*NEEDED, "wsrep_sst_rsync", "rsync", "lsof", "haproxy")


def run(needed: tuple[str, ...], *options: str) -> None:
    """Run the script, which starts servers of its own."""
    if missing := [name for name in needed if not shutil.which(name)]:
        pytest.skip(f"not installed: {missing}")
    if not connection.mysql_is_mariadb:
        pytest.skip("the script starts a MariaDB")
    command = [sys.executable, "script/load-with-restarts", "--clients", "15", "--seconds", "20", *options]
    ended = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "All counters are correct." in ended.stdout


@pytest.mark.django_db
def test_nothing_is_lost_while_services_are_restarted():
    run(NEEDED)


@pytest.mark.django_db
def test_nothing_is_lost_when_the_writing_node_is_killed():
    run(NEEDED_FOR_GALERA, "--galera")
