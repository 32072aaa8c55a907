"""`manage.py import_reviews`: output, errors, and resuming after signals in a separate process."""

import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from reviews.models import Review, ReviewImport
from tests.reviews.exports import book, goodreads, storygraph
from tests.reviews.helpers import counter_differences
from tests.server import TOP, manage, migrated, pausing_manage, server_environment

pytestmark = pytest.mark.django_db


@pytest.fixture
def command(tmp_path: Path, alice: User):
    """Import these bytes as Alice; return the output."""

    def run(data: bytes, source: str = "goodreads", **options) -> str:
        path, out = tmp_path / "export.csv", io.StringIO()
        path.write_bytes(data)
        call_command("import_reviews", path, **{"user": "Alice", "source": source, "stdout": out} | options)
        return out.getvalue()

    return run


def test_command_imports_and_prints_a_summary(command):
    output = command(goodreads({}, {"My Rating": "9"}, {"My Rating": "0", "My Review": ""}))
    assert output.startswith("3 rows in ")
    lines = [" ".join(line.split()) for line in output.splitlines()[1:]]
    assert lines == [
        *("created 1", "updated 0", "skipped 1", "failed 1"),
        "1 × The book was not in the catalog and has been added.",
        "1 × Skipped: no rating and no review.",
        "line 3: Invalid rating.",
    ]
    assert "created         0" in command(goodreads({}))
    assert Review.objects.get().author.username == "alice"


def test_command_accepts_source_and_visibility(command):
    command(storygraph({}), "storygraph", visibility="private")
    assert Review.objects.get().visibility == "private"


def test_command_errors_are_one_line(command, tmp_path):
    with pytest.raises(CommandError, match="There is no user zoe"):
        command(goodreads({}), user="zoe")
    with pytest.raises(CommandError, match="header row does not match"):
        command(storygraph({}))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_reviews", tmp_path / "none.csv", user="alice", source="goodreads")
    with pytest.raises(CommandError, match="invalid choice"):
        command(goodreads({}), "a notebook")


def test_command_does_not_store_the_file_or_count_as_upload(command, upload, monkeypatch):
    command(goodreads({}))
    work = ReviewImport.objects.get()
    assert (work.status, work.content) == ("done", None)
    ReviewImport.objects.update(status="running")
    for _n in range(3):
        assert upload(goodreads({}), begin_only=True).status_code == 202


ROWS = 90


@pytest.fixture(scope="session")
def database_with_alice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with the user Alice, to be copied."""
    home = tmp_path_factory.mktemp("alice")
    shutil.copy(migrated(), home / "db.sqlite3")
    names = {"DJANGO_SUPERUSER_USERNAME": "alice", "DJANGO_SUPERUSER_PASSWORD": "um-bom-7"}
    manage(["createsuperuser", "--no-input"], server_environment(home, 8000, **names))
    return home / "db.sqlite3"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_interrupted_command_resumes(tmp_path: Path, database_with_alice: Path, number: signal.Signals):
    env = server_environment(tmp_path, 8000)
    program = [sys.executable, "manage.py"]
    export = tmp_path / "export.csv"
    export.write_bytes(goodreads(*(book(n) for n in range(ROWS))))
    shutil.copy(database_with_alice, tmp_path / "db.sqlite3")
    run = [*program, "import_reviews", str(export), "--user", "alice", "--source", "goodreads"]

    def query(what: str) -> int:
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as database:
            return database.execute(f"SELECT {what}").fetchone()[0]

    paused = [*pausing_manage(15), *run[2:]]
    process = subprocess.Popen(paused, env=env, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while query("count(*) FROM reviews_review") < 10:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    done = query("rows_processed FROM reviews_reviewimport")
    assert 10 <= done < ROWS
    assert query("count(*) FROM reviews_review") == done
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert f"Stopped after {done} of {ROWS}. Run the command again to continue." in out
    again = subprocess.run(run, env=env, cwd=TOP, check=True, capture_output=True, text=True)
    assert f"Continuing after {done} of {ROWS} rows." in again.stdout
    assert query("count(*) FROM reviews_review") == query("count(DISTINCT book_id) FROM reviews_review") == ROWS
    assert query("count(*) FROM catalog_book") == ROWS
    assert query("group_concat(status || created) FROM reviews_reviewimport") == f"done{ROWS}"
    verified = subprocess.run([*program, "verify_counters"], env=env, cwd=TOP, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout


def test_counters_are_correct_after_an_import(command):
    command(goodreads(*(book(n, **{"My Rating": n % 6}) for n in range(30))))
    assert counter_differences() == (0, [])
