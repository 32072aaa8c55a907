"""Databases that are not as the server needs them: other character sets, missing tables, columns of a later release."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection

from tests.server import TOP, running_server, server_environment

needs_mysql = pytest.mark.skipif("connection.vendor != 'mysql'", reason="MariaDB and MySQL only")
GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "bookbridge/gunicorn.conf.py"]


@pytest.fixture
def create_database(transactional_db: None) -> Iterator[Callable[[str], str]]:
    """Return a function that creates a second database with a character set and returns its URL."""
    name = f"{connection.settings_dict['NAME']}_state"

    def create(charset: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET {charset}")
        return re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", os.environ["DATABASE_URL"])

    yield create
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")


@needs_mysql
@pytest.mark.django_db
def test_missing_value_raises_operational_error_not_integrity_error():
    """As in a table to which a later release has added a column; a conflict would be reported as 409."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changed (id INT PRIMARY KEY, added INT NOT NULL)")
        with pytest.raises(OperationalError, match="1364"):
            cursor.execute("INSERT INTO changed (id) VALUES (1)")


@needs_mysql
def test_primary_serves_reads_while_a_replica_lacks_tables(create_database, tmp_path):
    settings = {"REPLICA_URLS": create_database("utf8mb4"), "REPLICA_MAX_LAG": "0"}
    with running_server(tmp_path, **settings) as address:
        for path in ["books/", "books/?ordering=title", "clubs/"] * 3:
            with urllib.request.urlopen(f"{address}/api/v1/{path}", timeout=20) as response:
                assert (response.status, json.load(response)["results"]) == (200, [])


@needs_mysql
def test_server_refuses_a_database_that_cannot_store_all_characters(create_database, tmp_path):
    env = server_environment(tmp_path, 8000, DATABASE_URL=create_database("latin1"))
    ended = subprocess.run(GUNICORN, env=env, cwd=TOP, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == ("DATABASE_URL: the character set of the database is latin1, not utf8mb4")


def test_server_says_that_the_database_has_no_tables(tmp_path):
    (tmp_path / "db.sqlite3").touch()
    with running_server(tmp_path):
        assert "the database has no tables; run manage.py migrate" in (tmp_path / "server.log").read_text()
