"""Rejected rows and unreadable files."""

import csv
import gzip
import json

import pytest
from django.core.management import CommandError

from catalog.models import Book
from tests.catalog.import_tools import (
    dump_file,
    dump_line,
    goodbooks_file,
    goodbooks_row,
    many_rows,
    rejects_of,
    run_import,
)

pytestmark = pytest.mark.django_db

GOOD = {"work_id": "1", "title": "A good row", "isbn": "", "isbn13": ""}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (goodbooks_row(title="A\0B"), "the title has a NUL character"),
        (
            goodbooks_row(title="x" * 1_000_000),
            "the title has 1000000 characters, more than 500",
        ),
        (goodbooks_row(title="x" * 600), "the title has 600 characters, more than 500"),
        (goodbooks_row(authors="y" * 201), "the author has 201 characters, more than 200"),
        (goodbooks_row().encode().replace(b"J.K.", b"J\xffK"), "byte 43 of the line is not UTF-8"),
        (goodbooks_row().encode().replace(b"J.K.", b"\xed\xa0\x80"), "byte 42 of the line is not UTF-8"),
        ("1,2,3\n", "it has 3 columns, the first line has 23"),
        (goodbooks_row().strip() + ",more\n", "it has 24 columns, the first line has 23"),
        (goodbooks_row(title=" \u200b "), "there is no title"),
        (goodbooks_row(authors=" , "), "there is no author"),
        (goodbooks_row(work_id="x"), "work_id is not a number"),
        (goodbooks_row(work_id="９"), "work_id is not a number"),
        ('1,"2,3\n', "it is not valid CSV: unexpected end of data"),
    ],
    ids=lambda value: "line" if isinstance(value, bytes) or value.endswith("\n") else value,
)
def test_invalid_row_is_rejected_with_reason(tmp_path, bad, reason):
    path = goodbooks_file(tmp_path / "books.csv", [GOOD, bad, GOOD | {"work_id": "2"}])
    outcome = run_import(path)
    assert (outcome["created"], outcome["rejected"]) == (2, 1)
    assert rejects_of(path) == [(3, reason)]
    assert "\0" not in path.with_suffix(".rejects").read_text()
    assert set(Book.objects.values_list("title", flat=True)) == {"A good row"}


def test_quoted_line_break_costs_one_row(tmp_path):
    path = goodbooks_file(tmp_path / "books.csv", [goodbooks_row(title="two\nlines"), GOOD])
    outcome = run_import(path)
    assert (outcome["created"], outcome["rejected"]) == (1, 2)


def test_overlong_line_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.imports.lines.MAX_LINE_BYTES", 1000)
    path = goodbooks_file(tmp_path / "books.csv", [GOOD, "x" * 10_000 + "\n", GOOD | {"work_id": "2"}])
    outcome = run_import(path)
    assert (outcome["created"], outcome["rejected"]) == (2, 1)
    [(line, reason)] = rejects_of(path)
    assert line == 3
    assert reason.startswith("the line is longer than")


def test_default_rejects_path_is_in_working_directory(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run_import(goodbooks_file(tmp_path / "books.csv", ["broken\n"]), rejects=None)
    with open("books.csv.rejects.csv", newline="") as file:
        assert list(csv.reader(file))[1:] == [["2", "it has 1 columns, the first line has 23", "broken"]]


def test_no_rejects_file_without_rejects(tmp_path):
    path = goodbooks_file(tmp_path / "books.csv", [GOOD])
    run_import(path)
    assert not path.with_suffix(".rejects").exists()


def test_unwritable_rejects_file_rolls_back_batch(tmp_path):
    path = goodbooks_file(tmp_path / "books.csv", [GOOD, "broken\n"])
    with pytest.raises(CommandError, match="No such file"):
        run_import(path, rejects=tmp_path / "nowhere" / "rejects.csv")
    assert not Book.objects.exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/type/work\t/works/OL9W\t1\n", "it has 3 tab-separated columns, not 5"),
        ("nonsense\n", "it has 1 tab-separated columns, not 5"),
        (dump_line("work", "/works/OL9W", title="x").replace("}", ""), "the JSON cannot be read"),
        (dump_line("work", "/works/OL9W", title="A\0"), "the title has a NUL character"),
        (dump_line("work", "/works/OL9W", title="A\ud800"), "the title has a lone surrogate"),
        (dump_line("work", "/works/OL9W", title="x" * 1_000_000), "the title has 1000000 characters, more than 500"),
        (dump_line("work", "/works/OL9W", title=["x"]), "there is no title"),
        (dump_line("work", "/works/9", title="x"), "the key is not an Open Library key"),
        ("/type/work\t/works/OL9W\t1\tx\t" + "[" * 100_000 + "\n", "the JSON"),
        ("/type/work\t/works/OL9W\t1\tx\t[1]\n", "the JSON is not an object"),
        (dump_line("work", "/works/OL9W", title="x").encode()[:-3] + b"\xff\n", "of the line is not UTF-8"),
        (
            dump_line("work", "/works/OL9W", title="x", authors=[{"author": {"key": "/authors/OL404A"}}]),
            "the author /authors/OL404A is unknown: import authors before works",
        ),
        (
            dump_line("edition", "/books/OL9M", isbn_13=["9780439554930"], works=[{"key": "/works/OL404W"}]),
            "the work /works/OL404W is unknown: import works before editions",
        ),
        (dump_line("edition", "/books/OL9M", isbn_10=["1234567890"]), "none of its ISBNs is valid"),
        (dump_line("edition", "/books/OL9M", isbn_13=["9780439554930"]), "it names no work"),
        (dump_line("author", "/authors/OL9A"), "the author has no name"),
    ],
    ids=lambda value: "line" if "\n" in str(value) or isinstance(value, bytes) else value,
)
def test_invalid_dump_line_is_rejected_with_reason(tmp_path, line, reason):
    good = [dump_line("work", f"/works/OL{n}W", title="A good row") for n in (1, 2)]
    path = dump_file(tmp_path / "dump.txt.gz", [good[0], line, good[1]])
    outcome = run_import(path)
    assert (outcome["created"], outcome["rejected"]) == (2, 1)
    [(number, actual_reason)] = rejects_of(path)
    assert number == 2
    assert reason in actual_reason


def test_invalid_optional_values_are_ignored(tmp_path):
    odd = {
        "title": "Odd",
        "description": {"type": "/type/text", "value": "half \ud800"},
        "first_publish_date": "9999",
        "subjects": ["x" * 300, 7, "Fiction", None],
        "covers": [-1, None, "x", 12],
        "authors": [None, 5, {"author": None}, {"author": {"key": 5}}],
    }
    edition = {
        "isbn_13": ["978-0-439-55493-0", "x"],
        "works": [None, {"key": "/works/OL1W"}],
        "number_of_pages": -5,
        "physical_format": "x" * 51,
        "publishers": [None, "Scholastic"],
        "languages": [{"key": "/languages/por"}],
        "publish_date": "sometime",
    }
    path = dump_file(
        tmp_path / "dump.gz", [dump_line("work", "/works/OL1W", **odd), dump_line("edition", "/books/OL1M", **edition)]
    )
    outcome = run_import(path)
    assert outcome["created"] == 2
    book = Book.objects.get()
    assert (book.description, book.published_year, book.subjects, book.authors) == ("", None, ["Fiction"], [])
    assert book.cover_url.endswith("/12-L.jpg")
    row = book.editions.get()
    assert (row.isbn13, row.page_count, row.format, row.publisher) == ("9780439554930", None, "", "Scholastic")
    assert outcome["invalid page counts"] == outcome["invalid descriptions"] == outcome["invalid subjects"] == 1
    assert outcome["invalid years"] == 2


def test_truncated_gzip_imports_rows_before_damage(tmp_path):
    lines = [dump_line("work", f"/works/OL{n}W", title=f"Book {n} {n * 7919 % 1000}") for n in range(2000)]
    path = dump_file(tmp_path / "dump.txt.gz", lines)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CommandError, match=r"is damaged after line 1[0-9]{3}") as failed:
        run_import(path, batch=100)
    assert failed.value.returncode == 1
    imported = Book.objects.count()
    assert 1000 < imported < 2000
    with pytest.raises(CommandError):
        run_import(path, batch=100)
    assert Book.objects.count() == imported


def test_damaged_gzip_imports_rows_before_damage(tmp_path):
    path = dump_file(tmp_path / "dump.gz", [dump_line("work", f"/works/OL{n}W", title=f"B {n}") for n in range(2_000)])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(CommandError, match="is damaged"):
        run_import(path, batch=200)
    assert Book.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"title,author\nx,y\n",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        json.dumps([{"title": "x"}]).encode(),
        gzip.compress(b"nothing of the kind\n", mtime=0),
        gzip.compress(b"", mtime=0),
        b"\xff\xfe" * 50,
    ],
)
def test_unknown_format_is_rejected(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="has an unknown format"):
        run_import(path)


def test_invalid_gzip_is_rejected(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(b"\x1f\x8b" + b"x" * 100)
    with pytest.raises(CommandError, match="is damaged"):
        run_import(path)


def test_missing_file_and_directory_are_rejected(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run_import(tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match="Is a directory"):
        run_import(tmp_path)


def test_explicit_format_must_match(tmp_path):
    path = goodbooks_file(tmp_path / "books.csv", many_rows(3))
    with pytest.raises(CommandError, match="not openlibrary"):
        run_import(path, format="openlibrary")
    assert run_import(path, format="goodbooks")["created"] == 3
