"""`migrate` on MariaDB and MySQL: interrupted and continued, and started twice at once."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from core.db.mysql.schema import ResumableSchemaEditor
from core.search.indexes import FullTextIndex
from tests.server import TOP, server_environment

pytestmark = pytest.mark.django_db(transaction=True)

# Ends the process without a trace of Python's, after the given number of schema changes.
INTERRUPTED_MIGRATE = """
import os, sys
from django.db.backends.base import schema
execute, left = schema.BaseDatabaseSchemaEditor.execute, [int(sys.argv.pop(1))]

def execute_and_end(editor, sql, params=()):
    execute(editor, sql, params)
    left[0] -= 1
    if left[0] <= 0:
        os._exit(9)

schema.BaseDatabaseSchemaEditor.execute = execute_and_end
sys.argv[0] = "manage.py"
import runpy
runpy.run_path("manage.py", run_name="__main__")
"""


@pytest.fixture
def database(tmp_path) -> Iterator[dict[str, str]]:
    """The environment of a server with an empty database."""
    told = connections["default"].settings_dict
    name = f"{told['NAME']}_migrate"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    login = f"{told['USER']}:{told['PASSWORD']}" if told["PASSWORD"] else told["USER"]
    url = f"mysql://{login}@{told['HOST']}:{told['PORT'] or 3306}/{name}"
    yield server_environment(tmp_path, 8000, DATABASE_URL=url)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], env=env, cwd=TOP, capture_output=True, text=True, check=False, timeout=300
    )


def schema_of(name: str) -> dict[str, Any]:
    """Return the statements that create the tables of a database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [name])
        tables = sorted(table for (table,) in cursor.fetchall())
        return {table: create_statement(cursor, f"{name}.{table}") for table in tables}


def create_statement(cursor: Any, table: str) -> list[str]:
    cursor.execute(f"SHOW CREATE TABLE {table}")
    lines = cursor.fetchone()[1].splitlines()
    # Names of foreign keys and the next id differ between databases.
    return sorted(re.sub(r" AUTO_INCREMENT=\d+", "", line.strip().rstrip(",")) for line in lines)


def test_interrupted_migrate_is_continued(database):
    """It is ended at several moments, each time after it was continued."""
    env, moments = database, 0
    for changes in (3, 17, 60, 41, 90, 150, 33):
        ended = run(["-c", INTERRUPTED_MIGRATE, str(changes), "migrate", "--continue", "-v0"], env)
        if ended.returncode == 0:
            break
        assert ended.returncode == 9, ended.stderr[-2000:]
        moments += 1
    assert moments >= 4
    again = run(["manage.py", "migrate", "-v0"], env)
    if again.returncode:
        assert again.stderr.splitlines()[-1].endswith("continue it with: manage.py migrate --continue")
    ended = run(["manage.py", "migrate", "--continue", "-v0"], env)
    assert ended.returncode == 0, ended.stderr[-2000:]
    name = env["DATABASE_URL"].rpartition("/")[2]
    assert schema_of(name) == schema_of(str(connections["default"].settings_dict["NAME"]))


def test_killed_migrate_is_continued(database):
    env = database
    for seconds in (3.0, 4.0, 5.0):
        process = subprocess.Popen([sys.executable, "manage.py", "migrate", "--continue", "-v0"], env=env, cwd=TOP)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, 9)
        process.wait()
        time.sleep(0.5)  # the server finishes the statement
    assert run(["manage.py", "migrate", "--continue", "-v0"], env).returncode == 0
    name = env["DATABASE_URL"].rpartition("/")[2]
    assert schema_of(name) == schema_of(str(connections["default"].settings_dict["NAME"]))


def test_two_migrates_at_once_both_succeed(database):
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    both = [subprocess.Popen(command, env=database, cwd=TOP, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(process.communicate(timeout=300)[1], process.returncode) for process in both] == [(b"", 0)] * 2


def test_existing_change_fails_unless_resuming():
    index = FullTextIndex("clubs_club")
    with pytest.raises(Exception, match="1061"), ResumableSchemaEditor(connection) as editor:
        index.create(editor)
    connection.resuming = True
    try:
        with ResumableSchemaEditor(connection) as editor:
            index.create(editor)
    finally:
        connection.resuming = False
