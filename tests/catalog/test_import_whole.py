"""The whole goodbooks-10k file compared with an independent count, and the memory of an import."""

import csv
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from catalog.models import Book, BookAuthor, Edition
from tests.catalog.import_tools import DEMO, ROOT, goodbooks_file, many_rows, run_import
from tests.server import migrated


def goodbooks() -> Path:
    """Return the path of the whole file if it is available, else of the part that ships with the project."""
    beside = ROOT.parent / "shared" / "data" / "goodbooks" / "books.csv"
    places = [Path(os.environ[name]) for name in ["GOODBOOKS_CSV"] if os.environ.get(name)] + [beside]
    return next((path for path in places if path.is_file()), DEMO)


def isbn13_by_hand(row: dict[str, str]) -> str | None:
    """Return the ISBN-13 of a row, computed independently."""
    ten = row["isbn"].zfill(10)
    if row["isbn"] and sum((10 - n) * (10 if c == "X" else int(c)) for n, c in enumerate(ten)) % 11 == 0:
        core = "978" + ten[:9]
        return core + str(-sum(int(c) * (1, 3)[n % 2] for n, c in enumerate(core)) % 10)
    whole = f"{float(row['isbn13'] or 0):.0f}"
    if row["isbn"] or not re.fullmatch("97[89][0-9]{10}", whole):
        return None
    return None if sum(int(c) * (1, 3)[n % 2] for n, c in enumerate(whole)) % 10 else whole


@pytest.mark.django_db
def test_import_of_whole_file_matches_independent_count(tmp_path):
    with goodbooks().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    outcome = run_import(goodbooks(), rejects=tmp_path / "rejects")

    assert (outcome["created"], outcome["known"], outcome["rejected"]) == (len(rows), 0, 0)
    isbns = {row["work_id"]: isbn13_by_hand(row) for row in rows}
    with_isbn = sum(bool(row["isbn"] or row["isbn13"]) for row in rows)
    assert outcome["invalid ISBNs"] == with_isbn - sum(map(bool, isbns.values()))
    books = {book.origin.removeprefix("goodbooks:"): book for book in Book.objects.defer("search_text")}
    assert {key: book.isbn13 for key, book in books.items()} == isbns
    assert Edition.objects.count() == sum(map(bool, isbns.values()))
    years = {row["work_id"]: float(row["original_publication_year"] or "nan") for row in rows}
    assert all(book.published_year == years[key] or years[key] != years[key] for key, book in books.items())
    titles = {row["work_id"]: " ".join(unicodedata.normalize("NFC", row["title"]).split()) for row in rows}
    assert {key: book.title for key, book in books.items()} == titles
    assert {key for key, book in books.items() if not book.cover_url} == {
        row["work_id"] for row in rows if "nophoto" in row["image_url"]
    }
    # "Jr." and the like never stand alone in this file, and no row repeats an author with the same spelling.
    names = [len({re.sub(" +", " ", name).casefold() for name in row["authors"].split(", ")}) for row in rows]
    assert abs(BookAuthor.objects.count() - sum(names)) <= len(rows) / 1000
    again = run_import(goodbooks(), rejects=tmp_path / "rejects")
    assert (again["created"], again["known"]) == (0, len(rows))


CHILD = """
import resource, sys, django
django.setup()
from django.core.management import call_command
for path in sys.argv[1:]:
    call_command("import_books", path, verbosity=0)
    print("peak:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory(tmp_path: Path, *paths: Path) -> list[int]:
    """Return the peak memory, in KiB, of a process after importing each file into an SQLite database."""
    shutil.copy(migrated(), tmp_path / "db.sqlite3")
    env = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DEBUG": "on",
        "PYTHONPATH": str(ROOT),
    }
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, *paths], env=env, capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    return [int(peak) for peak in re.findall(r"^peak: (\d+)$", ran.stdout, re.M)]


def test_memory_does_not_grow_with_file_size(tmp_path):
    rows = list(many_rows(11_000))
    files = (goodbooks_file(tmp_path / "short.csv", rows[:1_000]), goodbooks_file(tmp_path / "long.csv", rows[1_000:]))
    short, long = peak_memory(tmp_path, *files)
    # The long file has ten times the rows. 7,500 KiB are about 0.8 KiB for each additional row.
    assert long - short < 7_500, (short, long)
