"""A backup that is made while users write is consistent, and a restored database is equal to the original."""

import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.models import Book
from tests.reviews.helpers import REVIEWS


def needs_mysqldump() -> bool:
    """Return whether the server is a MySQL and its tools are not installed; Debian has only MariaDB's."""
    if connection.vendor != "mysql" or connection.mysql_is_mariadb:
        return False
    program = shutil.which("mysqldump")
    return not program or "MariaDB" in subprocess.run([program, "--version"], capture_output=True, text=True).stdout


pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'mysql'", reason="SQLite has no concurrent writers"),
]
TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def empty_database() -> Iterator[dict[str, str]]:
    """The environment of a process that uses another database of the same server."""
    settings = connection.settings_dict
    name = f"{settings['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    url = f"mysql://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT']}/{name}"
    yield {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bookbridge.settings"}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


def manage(env: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command], env=env, cwd=TOP, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def back_up(target: Path) -> str:
    output = io.StringIO()
    call_command("backup", target, stdout=output, stderr=io.StringIO())
    return output.getvalue().strip()


def contents(database: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table of a database, in the order of their first columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW TABLES FROM {database}")
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f"SELECT * FROM {database}.{table} ORDER BY 1")
            found[table] = list(cursor.fetchall())
    return found


def test_tools_of_mariadb_do_not_back_up_mysql(tmp_path):
    if not needs_mysqldump():
        pytest.skip("the tools fit the server")
    with pytest.raises(CommandError, match=r"mysqldump is MariaDB's|are missing"):
        back_up(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("needs_mysqldump()", reason="MySQL's own mysqldump is not installed")
def test_backup_during_writes_is_consistent(tmp_path, make_user, client_of, empty_database):
    clients = [client_of(make_user(f"reader{number}")) for number in range(4)]
    books = [Book.create_book(by=None, title=f"Book {number}", authors=["A"]) for number in range(40)]
    stopped, written = threading.Event(), []

    def write(client) -> None:
        """Write, like and delete reviews, each of which changes counters."""
        try:
            while not stopped.is_set():
                reviews = [client.post(REVIEWS, {"book": book.pk, "rating": 4}).json()["id"] for book in books]
                written.extend(reviews)
                for review in reviews:
                    client.put(f"{REVIEWS}{review}/like/")
                    client.delete(f"{REVIEWS}{review}/")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        backup = back_up(tmp_path / "backups")
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert written
    manage(empty_database, "restore", backup)
    assert "All counters are correct." in manage(empty_database, "verify_counters")


@pytest.mark.skipif("needs_mysqldump()", reason="MySQL's own mysqldump is not installed")
def test_restored_database_equals_the_original(tmp_path, make_user, client_of, empty_database):
    alice = make_user("alice", display_name="Zoë 📚")
    book = Book.create_book(by=alice, title="Memórias Póstumas de Brás Cubas", authors=["Machado de Assis"])
    client_of(alice).post(REVIEWS, {"book": book.pk, "rating": 4, "body": "It's \\'quoted\\' \x7f\n“ótimo” 🎉"})
    manage(empty_database, "restore", back_up(tmp_path / "backups"))
    original = contents(connection.settings_dict["NAME"])
    assert original["reviews_review"]
    assert contents(f"{connection.settings_dict['NAME']}_restored") == original
