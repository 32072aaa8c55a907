"""Databases that are not as the server needs them: other character sets, missing tables, columns of a later release."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from tests.server import TOP, manage, running_server, server_environment

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
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("default", "status"), [("DEFAULT 0", 201), ("", 503)])
def test_sign_up_on_the_schema_of_a_later_release(anonymous, default, status):
    """A column that this release does not know: without a default, nobody may be told that the name is taken."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE accounts_user ADD COLUMN added INT NOT NULL {default}")
        try:
            body = {"username": "alice", "password": "um-bom-segredo-7"}
            response = anonymous.post("/api/v1/auth/register/", body)
        finally:
            cursor.execute("ALTER TABLE accounts_user DROP COLUMN added")
    assert response.status_code == status, response.content
    if status == 503:
        assert (response.json()["code"], response["Retry-After"]) == ("unavailable", "5")


@needs_mysql
def test_primary_serves_reads_while_a_replica_lacks_tables(create_database, tmp_path):
    settings = {"REPLICA_URLS": create_database("utf8mb4"), "REPLICA_MAX_LAG": "0"}
    with running_server(tmp_path, **settings) as address:
        for path in ["books/", "books/?ordering=title", "clubs/"] * 3:
            with urllib.request.urlopen(f"{address}/api/v1/{path}", timeout=20) as response:
                assert (response.status, json.load(response)["results"]) == (200, [])


def start(home: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Start a server that is expected to refuse."""
    env = server_environment(home, 8000, DATABASE_URL=url)
    return subprocess.run(GUNICORN, env=env, cwd=TOP, capture_output=True, text=True, timeout=60, check=False)


@needs_mysql
def test_server_refuses_a_database_that_cannot_store_all_characters(create_database, tmp_path):
    ended = start(tmp_path, create_database("latin1"))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == ("DATABASE_URL: the character set of the database is latin1, not utf8mb4")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mysql", marks=needs_mysql)])
def test_server_refuses_a_database_without_tables(request, tmp_path, kind):
    (tmp_path / "db.sqlite3").touch()
    create = request.getfixturevalue("create_database") if kind == "mysql" else None
    ended = start(tmp_path, create("utf8mb4") if create else f"sqlite:///{tmp_path}/db.sqlite3")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "DATABASE_URL: the database has no tables; run manage.py migrate"


@needs_mysql
def test_server_refuses_a_user_without_the_right_to_write(create_database, tmp_path):
    url = create_database("utf8mb4")
    name = url.rpartition("/")[2].partition("?")[0]
    manage(["migrate", "-v0"], server_environment(tmp_path, 8000, DATABASE_URL=url))
    reader = f"{name}_reader"[:32]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP USER IF EXISTS {reader}@'%'")
        cursor.execute(f"CREATE USER {reader}@'%'")
        try:
            cursor.execute(f"GRANT SELECT ON `{name}`.* TO {reader}@'%'")
            ended = start(tmp_path, re.sub("//[^@]*@", f"//{reader}@", url))
        finally:
            cursor.execute(f"DROP USER {reader}@'%'")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "DATABASE_URL: the user has no right to write to the database"
