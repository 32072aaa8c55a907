"""Import of Open Library dumps: authors, works and editions, in separate files or in one."""

import pytest

from catalog.imports.lines import LineReader
from catalog.models import AlternateOrigin, Book, Edition, ImportedAuthor
from tests.catalog.import_tools import dump_file, dump_line, goodbooks_file, rejects_of, run_import

pytestmark = pytest.mark.django_db

AUTHORS = [
    dump_line("author", "/authors/OL4586796A", name="Gabriel García Márquez"),
    dump_line("author", "/authors/OL2A", personal_name="Gregory Rabassa"),
]
WORKS = [
    dump_line(
        "work",
        "/works/OL274505W",
        title="Cien años de soledad",
        authors=[
            {"type": {"key": "/type/author_role"}, "author": {"key": "/authors/OL4586796A"}},
            {"author": "/authors/OL2A"},
        ],
        description={"type": "/type/text", "value": "Muchos años después\r\n\r\nfrente al pelotón"},
        subjects=["Fiction", "Macondo (Imaginary place)"],
        first_publish_date="May 30, 1967",
        covers=[-1, 8701240],
    ),
    dump_line("work", "/works/OL2W", title="Beowulf"),
]
EDITIONS = [
    dump_line(
        "edition",
        "/books/OL10000179M",
        title="Cem anos de solidão",
        works=[{"key": "/works/OL274505W"}],
        isbn_10=["8501012076"],
        languages=[{"key": "/languages/por"}],
        number_of_pages=394,
        publishers=["Record"],
        physical_format="Paperback",
        publish_date="January 1999",
    ),
    dump_line(
        "edition", "/books/OL2M", works=[{"key": "/works/OL274505W"}], isbn_13=["9780060883287"], number_of_pages=417
    ),
    dump_line("edition", "/books/OL3M", works=[{"key": "/works/OL274505W"}], title="Without an ISBN"),
]
OTHERS = [
    dump_line("redirect", "/authors/OL3A", location="/authors/OL2A"),
    dump_line("delete", "/books/OL4M"),
    dump_line("page", "/about"),
]


@pytest.fixture
def load(tmp_path):
    """Import lines as one dump."""

    def run(lines, name="dump.txt.gz", **options):
        return run_import(dump_file(tmp_path / name, lines), **options)

    return run


def assert_book_is_complete(anonymous):
    book = Book.objects.get(origin="openlibrary:/works/OL274505W")
    shown = anonymous.get(f"/api/v1/books/{book.pk}/").json()
    assert shown["title"] == "Cien años de soledad"
    assert shown["authors"] == ["Gabriel García Márquez", "Gregory Rabassa"]
    assert shown["published_year"] == 1967
    assert shown["description"] == "Muchos años después\n\nfrente al pelotón"
    assert shown["subjects"] == ["Fiction", "Macondo (Imaginary place)"]
    assert shown["cover_url"] == "https://covers.openlibrary.org/b/id/8701240-L.jpg"
    # Missing values of the work come from its main edition, the first one.
    assert (shown["isbn13"], shown["language"], shown["page_count"]) == ("9788501012074", "pt", 394)
    assert shown["editions"] == [
        {
            "isbn13": "9788501012074",
            "title": "",
            "format": "Paperback",
            "page_count": 394,
            "publisher": "Record",
            "language": "pt",
            "published_year": 1999,
        },
        {
            "isbn13": "9780060883287",
            "title": "",
            "format": "",
            "page_count": 417,
            "publisher": "",
            "language": "",
            "published_year": None,
        },
    ]
    assert Book.objects.get(origin="openlibrary:/works/OL2W").authors == []


def test_three_files_in_order(load, anonymous):
    assert load(AUTHORS, "authors.gz")["created"] == 2
    assert load(WORKS, "works.gz")["created"] == 2
    outcome = load(EDITIONS, "editions.gz")
    assert (outcome["created"], outcome["ignored"]) == (2, 1)
    assert_book_is_complete(anonymous)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_combined_file_in_any_order(load, anonymous, order, batch):
    lines = [*AUTHORS, *EDITIONS, *WORKS, *OTHERS][::order]
    if order == -1:
        # The order of the editions determines the main one.
        lines = [line for line in lines if line not in EDITIONS] + EDITIONS
    outcome = load(lines, batch=batch)
    assert (outcome["created"], outcome["ignored"], outcome["rejected"]) == (6, 4, 0)
    assert outcome.total_rows() == len(lines)
    assert_book_is_complete(anonymous)


def test_second_import_adds_nothing(load):
    lines = [*AUTHORS, *WORKS, *EDITIONS]
    load(lines)
    outcome = load(lines)
    assert (outcome["created"], outcome["known"], outcome["ignored"]) == (0, 6, 1)
    assert (ImportedAuthor.objects.count(), Book.objects.count(), Edition.objects.count()) == (2, 2, 2)


def test_file_of_one_kind_is_read_once(load, monkeypatch):
    passes = []
    lines = LineReader.lines

    def counted(self, **options):
        passes.append(options)
        return lines(self, **options)

    monkeypatch.setattr(LineReader, "lines", counted)
    load(AUTHORS)
    # The first lines to detect the format, then the whole file once.
    assert passes == [{}, {"start": 1}]


def test_works_are_rejected_until_authors_are_imported(load, tmp_path):
    first = load(WORKS, "works.gz")
    assert (first["created"], first["rejected"]) == (1, 1)
    assert rejects_of(tmp_path / "works.gz")[0][0] == 1
    load(AUTHORS, "authors.gz")
    second = load(WORKS, "works.gz")
    assert (second["created"], second["known"]) == (1, 1)


def test_known_isbn_of_same_work_merges_books(load, tmp_path, anonymous):
    """The goodbooks file has the English title; Open Library has another title but the same author."""
    cells = {
        "work_id": "3295655",
        "isbn": "60883286",
        "title": "One Hundred Years of Solitude",
        "authors": "Gabriel García Márquez, Gregory Rabassa",
    }
    run_import(goodbooks_file(tmp_path / "books.csv", [cells]))
    lines = [*AUTHORS, *WORKS, *EDITIONS]
    outcome = load(lines)
    assert outcome["works merged into existing books"] == 1
    book = Book.objects.get(isbn13="9780060883287")
    assert book.origin == "goodbooks:3295655"
    assert {e.isbn13 for e in book.editions.all()} == {"9780060883287", "9788501012074"}
    assert AlternateOrigin.objects.get().origin == "openlibrary:/works/OL274505W"
    assert Book.objects.count() == 2
    again = load(lines)
    assert (again["created"], again["known"]) == (0, 6)
    assert Book.objects.count() == 2


def test_known_isbn_of_another_work_is_rejected(load, tmp_path, add_book):
    add_book("Emma", "Jane Austen", isbn13="9780060883287")
    outcome = load([*AUTHORS, *WORKS, *EDITIONS])
    assert outcome["rejected"] == outcome["ISBNs of another book"] == 1
    assert "belongs to another book" in rejects_of(tmp_path / "dump.txt.gz")[0][1]
    assert Book.objects.count() == 3


def test_edited_book_is_not_merged(load, add_book, alice):
    add_book("Cien años de soledad", "Gabriel García Márquez", isbn13="9780060883287")
    load([*AUTHORS, *WORKS])
    ours = Book.objects.get(origin="openlibrary:/works/OL274505W")
    ours.update_book(by=alice, description="Mine")
    assert load(EDITIONS, "editions.gz")["rejected"] == 1
    assert Book.objects.filter(pk=ours.pk).exists()


def test_later_edition_does_not_change_book(load, anonymous):
    load([*AUTHORS, *WORKS, EDITIONS[0]], "a.gz")
    load(EDITIONS, "b.gz")
    assert_book_is_complete(anonymous)
