"""The demo books."""

import csv
import io
from collections import Counter

import pytest
from django.core.management import call_command

from catalog.models import Book, ImportCheckpoint
from core.search.normalize import fold_case_and_accents
from demo.management.commands.load_demo import DATA, FILES
from tests.catalog.helpers import titles
from tests.catalog.import_tools import goodbooks_file, run_import

pytestmark = pytest.mark.django_db


def load() -> str:
    out = io.StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.django_db(transaction=True)
def test_load_demo_fills_empty_catalog(anonymous):
    count = sum(len(rows_of(name)) for name in FILES)
    assert load() == f"{count} demo books loaded.\n"
    assert Book.objects.count() == count == 264
    assert not ImportCheckpoint.objects.exists()
    assert titles(anonymous.get("/api/v1/books/?search=solitude+garcia")) == ["One Hundred Years of Solitude"]
    assert titles(anonymous.get("/api/v1/books/?search=sertao+veredas")) == ["Grande Sertão: Veredas"]
    assert len(titles(anonymous.get("/api/v1/books/?language=pt"))) == 20
    assert "Dom Casmurro" in titles(anonymous.get("/api/v1/books/?author=machado+de+assis"))


def test_demo_books_have_no_duplicates():
    load()
    works = Counter(
        (fold_case_and_accents(book.title), fold_case_and_accents(book.author)) for book in Book.objects.all()
    )
    assert [work for work, count in works.items() if count > 1] == []


def test_load_demo_skips_nonempty_catalog():
    Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    assert load() == "The catalog is not empty: no demo data was loaded.\n"
    assert Book.objects.count() == 1


def test_load_demo_twice_adds_nothing():
    load()
    assert "no demo data was loaded" in load()
    assert Book.objects.count() == 264


def test_demo_files_can_be_imported(tmp_path):
    for name in FILES:
        outcome = run_import(DATA / name, rejects=tmp_path / "rejects")
        assert (outcome["created"], outcome["rejected"]) == (len(rows_of(name)), 0)
    assert "no demo data was loaded" in load()


def test_load_demo_is_atomic(tmp_path, monkeypatch):
    broken = goodbooks_file(tmp_path / "books.csv", [{}])
    monkeypatch.setattr("demo.management.commands.load_demo.FILES", (broken, tmp_path / "nowhere.csv"))
    with pytest.raises(OSError, match="nowhere"):
        load()
    assert not Book.objects.exists()
