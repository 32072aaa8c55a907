"""Import of goodbooks-10k and of custom lists."""

import gzip

import pytest

from catalog.imports.csv_formats import _recover_isbn13
from catalog.isbn import normalize_isbn
from catalog.models import Book, Edition
from tests.catalog.import_tools import DEMO, goodbooks_file, isbn10, many_rows, rejects_of, run_import

pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(tmp_path):
    """Import one row that differs from ROW in `cells` and return the book."""

    def run(**cells):
        run_import(goodbooks_file(tmp_path / "books.csv", [cells]))
        return Book.objects.get()

    return run


def test_row_is_imported_with_all_fields(imported, anonymous):
    book = imported()
    shown = anonymous.get(f"/api/v1/books/{book.pk}/").json()
    assert shown["title"] == "Harry Potter and the Sorcerer's Stone (Harry Potter, #1)"
    assert shown["authors"] == ["J.K. Rowling", "Mary GrandPré"]
    assert shown["author"] == "J.K. Rowling, Mary GrandPré"
    assert shown["published_year"] == 1997
    assert shown["language"] == "en"
    assert shown["cover_url"] == "https://images.gr-assets.com/books/1474154022m/3.jpg"
    assert shown["isbn13"] == "9780439554930"
    assert [edition["isbn13"] for edition in shown["editions"]] == ["9780439554930"]
    assert book.origin == "goodbooks:4640799"
    assert book.title_key == "harry potter and the sorcerer's stone (harry potter, #1)"
    assert anonymous.get("/api/v1/books/?isbn=0-439-55493-4").json()["results"][0]["id"] == book.pk
    assert anonymous.get("/api/v1/books/?author=mary grandpre").json()["results"][0]["id"] == book.pk


@pytest.mark.django_db(transaction=True)
def test_imported_book_is_found_by_search(imported, anonymous):
    book = imported()
    assert [b["id"] for b in anonymous.get("/api/v1/books/?search=rowling+sorcerer").json()["results"]] == [book.pk]


@pytest.mark.parametrize(
    ("isbn", "isbn13", "expected"),
    [
        ("439023483", "9.78043902348e+12", "9780439023481"),
        ("7251866", "9.78000725186e+12", "9780007251865"),
        ("031606792X", "9.78031606792e+12", "9780316067928"),
        ("9504915248", "", "9789504915249"),
        # No isbn, and an isbn13 whose last digit is known to be a zero.
        ("", "9.78857542577e+12", "9788575425770"),
        ("", "", None),
    ],
)
def test_isbn_is_restored(imported, isbn, isbn13, expected):
    assert imported(isbn=isbn, isbn13=isbn13).isbn13 == expected
    assert Edition.objects.count() == (expected is not None)


@pytest.mark.parametrize(
    ("isbn", "isbn13"),
    [
        ("812971060", "9.78081297106e+12"),  # wrong check digit
        ("140169300", "9.7801401693e+12"),  # wrong, although the isbn13 would be valid: the two contradict each other
        ("", "9.78067172365e+12"),  # the last digit is lost
        ("", "2.94001623192e+12"),  # an article number
        ("", "97893806587.0"),
        ("", "9.781423104e+12"),  # three digits are lost
    ],
)
def test_unrecoverable_isbn_is_ignored_and_counted(tmp_path, isbn, isbn13):
    outcome = run_import(goodbooks_file(tmp_path / "books.csv", [{"isbn": isbn, "isbn13": isbn13}]))
    assert outcome["created"] == 1
    assert outcome["invalid ISBNs"] == 1
    assert Book.objects.get().isbn13 is None


def test_rounded_isbn13_is_never_restored_wrongly():
    restored = 0
    for core in [*range(1, 1_000_000_000, 7_654_321), *range(999_990_000, 1_000_000_000, 7), *range(1, 5_000)]:
        true = normalize_isbn(isbn10(core).rjust(10, "0"))
        found = _recover_isbn13(f"{float(true):.12g}")
        try:
            restored += normalize_isbn(found) == true
        except ValueError:
            continue
        assert normalize_isbn(found) == true
    assert restored > 500


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("William Shakespeare, Robert           Jackson", ["William Shakespeare", "Robert Jackson"]),
        ("Kurt Vonnegut Jr.", ["Kurt Vonnegut Jr."]),
        ("Robert Downey, Jr., Somebody Else", ["Robert Downey Jr.", "Somebody Else"]),
        ("Stephen King, Stephen  King", ["Stephen King"]),
        ("Gabriel Garci\u0301a Ma\u0301rquez", ["Gabriel García Márquez"]),
    ],
)
def test_authors_are_split(imported, line, names):
    assert imported(authors=line).authors == names


@pytest.mark.parametrize(
    ("written", "year"), [("2008.0", 2008), ("-720.0", -720), ("", None), ("1e400", None), ("nan", None), ("x", None)]
)
def test_years_are_parsed(imported, written, year):
    assert imported(original_publication_year=written).published_year == year


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng", "en"),
        ("en-US", "en-us"),
        ("por", "pt"),
        ("fre", "fr"),
        ("fra", "fr"),
        ("nl", "nl"),
        ("fil", "fil"),
        ("mul", ""),
        ("", ""),
        ("--", ""),
    ],
)
def test_language_codes_are_converted(imported, code, tag):
    assert imported(language_code=code).language == tag


@pytest.mark.parametrize("url", ["https://s.gr-assets.com/assets/nophoto/book/111x148-bcc042.png", "", "javascript:1"])
def test_invalid_cover_is_ignored(imported, url):
    assert imported(image_url=url).cover_url == ""


def test_second_import_adds_nothing(tmp_path):
    path = goodbooks_file(tmp_path / "books.csv", many_rows(30, every=10))
    first, second = run_import(path, batch=7), run_import(path, batch=7)
    assert (first["created"], first["known"], first["rejected"]) == (27, 0, 3)
    assert (second["created"], second["known"], second["rejected"]) == (0, 27, 3)
    assert "Nothing was added" in second.text
    assert Book.objects.count() == Edition.objects.count() == 27
    assert [line for line, _reason in rejects_of(path)] == [11, 21, 31]


def test_repeated_row_is_known(tmp_path):
    outcome = run_import(goodbooks_file(tmp_path / "books.csv", [{}, {}]))
    assert (outcome["created"], outcome["known"]) == (1, 1)


def test_known_isbn_of_same_work_adds_origin(tmp_path, add_book):
    here = add_book("Harry Potter and the Sorcerer’s Stone", "J.K. Rowling", isbn13="9780439554930")
    path = goodbooks_file(tmp_path / "books.csv", [{}])
    for _ in range(2):
        outcome = run_import(path)
        assert (outcome["created"], outcome["known"]) == (0, 1)
    assert Book.objects.get() == here
    assert here.other_origins.get().origin == "goodbooks:4640799"


def test_known_isbn_of_another_work_is_ignored(tmp_path, add_book):
    add_book("Emma", "Jane Austen", isbn13="9780439554930")
    outcome = run_import(goodbooks_file(tmp_path / "books.csv", [{}]))
    assert outcome["created"] == 1
    assert outcome["ISBNs of another book"] == 1
    assert Book.objects.get(origin="goodbooks:4640799").isbn13 is None
    assert Edition.objects.get().book.title == "Emma"


def test_same_isbn_twice_in_one_batch(tmp_path):
    rows = [{"work_id": "1"}, {"work_id": "2"}, {"work_id": "3", "title": "Emma", "authors": "Jane Austen"}]
    path = goodbooks_file(tmp_path / "books.csv", rows)
    outcome = run_import(path)
    assert (outcome["created"], outcome["known"]) == (2, 1)
    assert outcome["ISBNs of another book"] == 1
    assert run_import(path)["known"] == 3


def test_gzipped_file(tmp_path):
    path = tmp_path / "books.csv.gz"
    path.write_bytes(gzip.compress(DEMO.read_bytes()))
    assert run_import(path)["created"] == 229


def test_custom_list(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "key,title,authors,published_year,language,isbn\n"
        "mine-1,Torto Arado,Itamar Vieira Junior,2019,pt-BR,978-65-80309-31-3\n"
        "mine-2,Good Omens,Terry Pratchett; Neil Gaiman,1990,eng,\n"
        "mine 3,No Key,Nobody,,,\n"
    )
    outcome = run_import(path)
    assert (outcome["created"], outcome["rejected"]) == (2, 1)
    arado = Book.objects.get(origin="list:mine-1")
    assert (arado.isbn13, arado.language, arado.published_year) == ("9786580309313", "pt-br", 2019)
    assert Book.objects.get(origin="list:mine-2").authors == ["Terry Pratchett", "Neil Gaiman"]


def test_control_characters_are_removed_from_names(tmp_path):
    path = goodbooks_file(
        tmp_path / "books.csv", [{"title": "Em\u202ema\x1b[0m\x85II", "authors": "Jane\u2028Austen\u2069"}]
    )
    assert run_import(path)["created"] == 1
    book = Book.objects.get()
    assert (book.title, book.authors) == ("Emma [0m II", ["Jane Austen"])
