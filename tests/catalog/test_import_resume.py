"""Interrupted imports are resumed; run in subprocesses."""

import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection

from catalog.imports import importer as importing
from catalog.models import Book, ImportCheckpoint
from tests.catalog.import_tools import (
    ManageProcess,
    dump_file,
    dump_line,
    goodbooks_file,
    many_rows,
    rejects_of,
    run_import,
)
from tests.server import migrated

ROWS, EVERY = 1200, 100


@pytest.fixture
def manage_process(transactional_db: None, tmp_path: Path) -> Iterator[ManageProcess]:
    """Return a runner that uses the database of the test run, or a copy of the empty SQLite file."""
    if connection.vendor == "sqlite":
        path = tmp_path / "db.sqlite3"
        shutil.copy(migrated(), path)

        def query(sql: str) -> list:
            with closing(sqlite3.connect(path, timeout=20)) as database:
                return [row[0] for row in database.execute(sql)]

        yield ManageProcess({"DATABASE_URL": f"sqlite:///{path}"}, query)
        return

    def query(sql: str) -> list:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]

    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    yield ManageProcess({"DATABASE_URL": url}, query)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    return goodbooks_file(tmp_path / "books.csv", many_rows(ROWS, every=EVERY))


def import_arguments(path: Path) -> list[object]:
    return ["import_books", path, "--batch", 50, "--rejects", path.with_suffix(".rejects")]


def assert_imported_once(manage_process: ManageProcess, path: Path) -> None:
    good = ROWS - ROWS // EVERY
    assert manage_process.query("SELECT count(*) FROM catalog_book") == [good]
    assert manage_process.query("SELECT count(DISTINCT origin) FROM catalog_book") == [good]
    assert manage_process.query("SELECT count(*) FROM catalog_edition") == [good]
    assert manage_process.query("SELECT count(*) FROM catalog_bookauthor") == [good]
    assert manage_process.query("SELECT count(*) FROM catalog_importcheckpoint") == [0]
    assert [line for line, _reason in rejects_of(path)] == [n + 1 for n in range(EVERY, ROWS + 1, EVERY)]


def test_killed_import_is_resumed(manage_process, books):
    process = manage_process.start(*import_arguments(books), pause_at=230)
    manage_process.wait_for_line(200)
    process.kill()
    process.communicate()
    [next_line] = manage_process.query("SELECT next_line FROM catalog_importcheckpoint")
    read = next_line - 2
    assert 200 <= read < ROWS, "it should be killed in the middle"
    # A batch is committed as a whole or not at all.
    assert manage_process.query("SELECT count(*) FROM catalog_book") == [read - read // EVERY]

    outcome, _err = manage_process.run(*import_arguments(books))
    assert f"Resuming at line {next_line:,}" in outcome.text
    assert f": {ROWS - read:,} rows in" in outcome.text
    assert (outcome["created"], outcome["known"], outcome["rejected"]) == (ROWS - ROWS // EVERY, 0, ROWS // EVERY)
    assert_imported_once(manage_process, books)


@pytest.mark.parametrize(("kind", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_import_commits_batch_and_is_resumed(manage_process, books, kind, status):
    process = manage_process.start(*import_arguments(books), pause_at=230)
    manage_process.wait_for_line(200)
    process.send_signal(kind)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (status, "")
    [next_line] = manage_process.query("SELECT next_line FROM catalog_importcheckpoint")
    assert f"Stopped before line {next_line:,}. Run the command again to resume." in out
    read = next_line - 2
    assert manage_process.query("SELECT count(*) FROM catalog_book") == [read - read // EVERY]
    manage_process.run(*import_arguments(books))
    assert_imported_once(manage_process, books)


def test_killed_dump_import_is_resumed_in_its_stage(manage_process, tmp_path):
    count = 200
    works = (dump_line("work", f"/works/OL{n}W", title=f"B{n}", authors=[f"/authors/OL{n}A"]) for n in range(count))
    authors = (dump_line("author", f"/authors/OL{n}A", name=f"Author {n}") for n in range(count))
    path = dump_file(tmp_path / "dump.gz", [*works, *authors])
    for table in ("catalog_importedauthor", "catalog_book"):
        process = manage_process.start("import_books", path, "--batch", 5, pause_at=12)
        while not manage_process.query(f"SELECT count(*) FROM {table}")[0]:
            assert process.poll() is None
        process.kill()
        process.communicate()
        assert manage_process.query(f"SELECT count(*) FROM {table}")[0] < count
    outcome, _err = manage_process.run("import_books", path)
    assert (outcome["created"], outcome["known"], outcome["rejected"]) == (2 * count, 0, 0)
    assert manage_process.query("SELECT count(*) FROM catalog_book") == [count]


def test_no_progress_bar_without_terminal(manage_process, books):
    _outcome, err = manage_process.run(*import_arguments(books))
    assert err == ""


def test_damaged_file_is_reported_without_traceback(manage_process, tmp_path):
    path = dump_file(tmp_path / "dump.gz", [dump_line("work", f"/works/OL{n}W", title=f"B{n}") for n in range(300)])
    path.write_bytes(path.read_bytes()[:-20])
    _outcome, err = manage_process.run("import_books", path, status=1)
    assert re.fullmatch(r"CommandError: .* is damaged after line \d+: .*\n", err)


@pytest.fixture
def stopped_at_500(books: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Path:
    """Return a file whose import was lost after 500 rows, between writing the rejects of a batch and committing it."""
    commits = []
    update = importing.write_rows

    def fail_later(rows, counts):
        commits.append(rows)
        if len(commits) > 5:
            raise RuntimeError("lost")
        update(rows, counts)

    with monkeypatch.context() as patched:
        patched.setattr(importing, "write_rows", fail_later)
        with pytest.raises(RuntimeError):
            run_import(books, batch=100)
    with books.with_suffix(".rejects").open("a") as rejects:
        rejects.write("601,written before a commit that never came,\n")
    return books


def test_rejects_of_lost_batch_are_not_repeated(stopped_at_500):
    run_import(stopped_at_500)
    assert [line for line, _reason in rejects_of(stopped_at_500)] == [n + 1 for n in range(EVERY, ROWS + 1, EVERY)]


def test_restart_starts_at_first_line(stopped_at_500):
    outcome = run_import(stopped_at_500, restart=True)
    assert (outcome["known"], outcome["created"]) == (495, ROWS - ROWS // EVERY - 495)
    assert len(rejects_of(stopped_at_500)) == ROWS // EVERY


def test_other_file_with_same_name_starts_at_first_line(stopped_at_500):
    goodbooks_file(stopped_at_500, many_rows(600))
    outcome = run_import(stopped_at_500)
    assert "Resuming" not in outcome.text
    assert (outcome["known"], outcome["created"]) == (495, 105)


def test_moved_file_is_resumed(stopped_at_500, tmp_path):
    (tmp_path / "other").mkdir()
    moved = stopped_at_500.rename(tmp_path / "other" / stopped_at_500.name)
    assert "Resuming at line 502" in run_import(moved).text


@pytest.mark.django_db
def test_concurrently_added_isbn_is_retried(tmp_path, monkeypatch, add_book):
    """The ISBN is free when the batch is read and taken when it is written."""
    path = goodbooks_file(tmp_path / "books.csv", [{}, *many_rows(3)])
    write = importing.write_rows
    tries = []

    def late(rows, counts):
        tries.append(rows)
        write(rows, counts)
        if len(tries) == 1:
            raise IntegrityError("the ISBN has been written by somebody else")

    monkeypatch.setattr(importing, "write_rows", late)
    outcome = run_import(path)
    assert len(tries) == 2
    assert (outcome["created"], outcome["known"]) == (4, 0)
    assert Book.objects.count() == 4


@pytest.mark.django_db
def test_database_error_keeps_committed_batches(books, monkeypatch):
    write = importing.write_rows

    def failing(rows, counts):
        if rows[0].line > 200:
            raise IntegrityError("broken for good")
        write(rows, counts)

    monkeypatch.setattr(importing, "write_rows", failing)
    with pytest.raises(CommandError, match="Database error"):
        run_import(books, batch=100)
    assert Book.objects.count() == 198
    assert ImportCheckpoint.objects.get().next_line == 202
