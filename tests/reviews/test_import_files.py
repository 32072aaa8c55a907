"""Export files as people have them: encodings, delimiters and layouts of spreadsheets and other exporters."""

import gzip
import io
import zipfile

import pytest

from catalog.models import Book
from reviews.models import Review
from tests.reviews.exports import GOODREADS, STORYGRAPH, book, export, goodreads, storygraph
from tests.reviews.helpers import bad_fields, counts, problem, remarks, snapshot

pytestmark = pytest.mark.django_db

SKOOB = (
    "Title,Author,ISBN,My Rating,Average Rating,Publisher,Binding,Year Published,Original Publication Year,Date Read,"
    "Date Added,Bookshelves,My Review"
).split(",")
REVIEW = "Memórias; “póstumas” — 5, não 4"
ROWS = ({"My Review": REVIEW}, book(2, **{"My Review": 'He said "no; never"'}), book(3, **{"My Review": "One\nTwo"}))


def wrap(line: str) -> str:
    """Return a line as a spreadsheet saves it that has read it as one cell."""
    return '"' + line.replace('"', '""') + '"' if '"' in line else line


def wrapped(data: bytes, *, empty_cells: int = 0) -> bytes:
    """Return a file as a spreadsheet saves it that expects semicolons."""
    cells_of_lines = [line.split(";") for line in data.decode().split("\n")[:-1]]
    lines = [";".join(map(wrap, cells)) + ";" * (empty_cells + 1 - len(cells)) for cells in cells_of_lines]
    return "\r\n".join([*lines, ""]).encode()


def sep_line(delimiter: str) -> bytes:
    return f"sep={delimiter}\r\n".encode() + goodreads(*ROWS, delimiter=delimiter)


FORMS = {
    "semicolons": goodreads(*ROWS, delimiter=";"),
    "tabs": goodreads(*ROWS, delimiter="\t"),
    "BOM and semicolons": goodreads(*ROWS, delimiter=";", encoding="utf-8-sig"),
    "Windows-1252": goodreads(*ROWS, encoding="cp1252"),
    "Windows-1252 and semicolons": goodreads(*ROWS, delimiter=";", encoding="cp1252"),
    "UTF-16 and tabs": goodreads(*ROWS, delimiter="\t", encoding="utf-16"),
    "UTF-16, big endian": b"\xfe\xff" + goodreads(*ROWS, encoding="utf-16-be"),
    "UTF-16 without BOM": goodreads(*ROWS, encoding="utf-16-le"),
    "UTF-16, big endian, without BOM": goodreads(*ROWS, delimiter=";", encoding="utf-16-be"),
    "sep=,": sep_line(","),
    "sep=;": sep_line(";"),
    "SEP=tab": sep_line("\t").replace(b"sep", b"SEP"),
    "sep=, of a spreadsheet": b"sep=,;;;;\r\n" + goodreads(*ROWS, delimiter=";"),
    "sep=; of a spreadsheet": b'"sep=;";;\r\n' + goodreads(*ROWS, delimiter=";"),
    "sep=, and quoted rows": b"sep=,;;\r\n" + wrapped(goodreads(*ROWS), empty_cells=2),
    "sep=; with tabs": b"sep=;\t\t\r\n" + goodreads(*ROWS, delimiter="\t"),
    "empty lines first": b"\r\n\n" + goodreads(*ROWS, delimiter=";"),
    "empty line after sep=": b"sep=;\r\n\r\n" + goodreads(*ROWS, delimiter=";"),
    "sep=| with BOM": b"\xef\xbb\xbf" + sep_line("|"),
    "quoted rows": wrapped(goodreads(*ROWS)),
    "quoted rows with empty cells": wrapped(goodreads(*ROWS), empty_cells=2),
    "quoted rows and header": wrapped(goodreads(*ROWS, columns=GOODREADS)).replace(
        ",".join(GOODREADS).encode(), b'"' + ",".join(GOODREADS).encode() + b'"'
    ),
    "mixed line ends": goodreads(*ROWS).replace(b"\n", b"\r\n", 1).replace(b"0,1\n", b"0,1\r", 1),
    "all cells quoted": goodreads(*ROWS, quoting=1),
    "reverse order": goodreads(*ROWS, columns=GOODREADS[::-1]),
    "lower case": goodreads(*ROWS).replace(*(h.encode() for h in (",".join(GOODREADS), ",".join(GOODREADS).lower()))),
    "spaces": goodreads(*ROWS).replace(b"Title,", b" Title ,").replace(b"My Rating", b"My  Rating"),
}


@pytest.mark.parametrize("form", FORMS)
def test_form_of_a_file_does_not_matter(upload, form):
    assert counts(upload(FORMS[form])) == (3, 0, 0, 0)
    assert [review.body for review in Review.objects.order_by("id")] == [REVIEW, 'He said "no; never"', "One\nTwo"]
    before = snapshot()
    for again in (FORMS[form], goodreads(*ROWS)):
        report = upload(again)
        assert (counts(report), remarks(report)) == ((0, 0, 3, 0), {"unchanged": 3})
    assert snapshot() == before


@pytest.mark.parametrize("form", ["semicolons", "sep=;", "empty line first", "quoted rows", "UTF-16 and tabs"])
def test_line_numbers_are_those_of_the_file(upload, form):
    rows = ({}, {"My Rating": "9"})
    data = {
        "semicolons": goodreads(*rows, delimiter=";"),
        "sep=;": b"sep=;\r\n" + goodreads(*rows, delimiter=";"),
        "empty line first": b"\r\n" + goodreads(*rows),
        "quoted rows": wrapped(goodreads(*rows)),
        "UTF-16 and tabs": goodreads(*rows, delimiter="\t", encoding="utf-16"),
    }[form]
    assert [error["line"] for error in upload(data)["errors"]] == [4 if form in ("sep=;", "empty line first") else 3]


def test_storygraph_file_of_a_spreadsheet_is_imported(upload):
    data = storygraph({"Star Rating": "4,5", "Review": "a; b"}, delimiter=";", encoding="utf-8-sig")
    assert counts(upload(data, "storygraph")) == (1, 0, 0, 0)
    assert (Review.objects.get().rating, Review.objects.get().body) == (9, "a; b")


@pytest.mark.parametrize("source", ["goodreads", "skoob"])
@pytest.mark.parametrize(
    "data",
    [
        export(SKOOB, {"ISBN": "", "My Rating": "4.5", "Date Read": "2023-07-15", "Date Added": ""}),
        export(SKOOB, {"ISBN": "9780345539786", "My Rating": "4,5", "Date Read": "2023-07-15"}, delimiter=";"),
        # An exporter that writes neither reviews nor the date added.
        b"Title;Author;ISBN;My Rating;Publisher;Year Published;Date Read\r\n"
        b"Red Rising;Pierce Brown;9780345539786;4.5;Del Rey;2014;2023-07-15 00:00:00",
    ],
)
def test_import_layout_of_goodreads_is_imported(upload, data, source):
    assert counts(upload(data, source)) == (1, 0, 0, 0)
    review = Review.objects.get()
    assert (review.rating, str(review.created_at.date())) == (9, "2023-07-15")
    before = snapshot()
    assert remarks(upload(data, source)) == {"unchanged": 1}
    assert snapshot() == before


def test_layout_without_ids_tells_books_apart(upload):
    data = export(SKOOB, *({"Title": f"Livro {n}", "ISBN": ""} for n in range(3)), {"Title": "Livro 0", "ISBN": ""})
    assert counts(upload(data, "skoob")) == (3, 0, 1, 0)
    assert counts(upload(data, "skoob")) == (0, 0, 4, 0)


def test_another_layout_of_the_same_rows_changes_nothing(upload):
    upload(goodreads({}, book(2)))
    before = snapshot()
    report = upload(export(SKOOB, {}, book(2)))
    assert (counts(report), remarks(report)) == ((0, 0, 2, 0), {"unchanged": 2})
    assert snapshot() == before


# --- Rejected files --------------------------------------------------------------------------------------------------


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (archive("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "a spreadsheet file"),
        (archive("goodreads_library_export.csv"), "a compressed archive"),
        (gzip.compress(goodreads({})), "a compressed archive"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "a web page"),
        (b"<HTML lang=en><table>", "a web page"),
        (b"\xef\xbb\xbf<html>", "a web page"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a valid CSV"),
        (b" \r\n\r\n", "not a valid CSV"),
        (b"\xff\xfe", "not a valid CSV"),
    ],
)
def test_other_files_are_rejected_by_name(upload, data, words):
    response = upload(data, begin_only=True)
    assert bad_fields(response) == {"file": "not_csv"}
    assert words in response.json()["errors"][0]["detail"]


WORKS = {
    "cp1251": ("Война и мир", "Лев Толстой"),
    "koi8-r": ("Идиот", "Фёдор Достоевский"),
    "cp1253": ("Ο Καπετάν Μιχάλης", "Νίκος Καζαντζάκης"),
    "cp1255": ("סיפור על אהבה", "עמוס עוז"),
    "cp1256": ("موسم الهجرة", "الطيب صالح"),
    "cp874": ("สี่แผ่นดิน", "คึกฤทธิ์ ปราโมช"),
    "gbk": ("红楼梦", "曹雪芹"),
    "big5": ("紅樓夢", "曹雪芹"),
    "cp932": ("坊っちゃん", "夏目漱石"),
    "euc-jp": ("雪国", "川端康成"),
    "cp949": ("채식주의자", "한강"),
    # Western encodings, in which signs stand between letters.
    "mac_roman": ("Grande Sertão", "João Guimarães Rosa"),
    "cp850": ("Memórias Póstumas", "João"),
    "cp1250": ("Wisława", "Miłosz"),
}


@pytest.mark.parametrize("encoding", WORKS)
def test_encoding_of_another_alphabet_is_rejected(upload, encoding):
    title, author = WORKS[encoding]
    rows = (book(1), {"Title": title, "Author": author, "My Review": "Read in English, and liked it."})
    response = upload(goodreads(*rows, delimiter=";", encoding=encoding), begin_only=True)
    assert bad_fields(response) == {"file": "not_csv"}
    assert "Save it as UTF-8" in response.json()["errors"][0]["detail"]
    assert counts(upload(goodreads(*rows, delimiter=";"))) == (2, 0, 0, 0)


@pytest.mark.parametrize(
    ("title", "author"),
    [
        *(("É", "Eça"), ("À", "Zoë"), ("Été", "Hélène Cixous"), ("«Été»", "Anne"), ("— É —", "Ana"), ("Öö", "Ülo")),
        *(("¡Él!", "Ñ"), ("Größe", "Özdamar"), ("1º Ato", "Ção"), ("Ængön þú", "Ása"), ("£50", "Æ")),
    ],
)
def test_short_file_in_windows_1252_is_imported(upload, title, author):
    data = export(["Title", "Author", "My Rating"], {"Title": title, "Author": author}, encoding="cp1252")
    assert counts(upload(data)) == (1, 0, 0, 0)
    assert (Book.objects.get().title, Book.objects.get().authors) == (title, [author])


@pytest.mark.parametrize(
    ("data", "source", "missing", "found"),
    [
        (storygraph({}), "goodreads", "Author, My Rating.", "Title, Authors, Contributors"),
        (goodreads({}), "storygraph", "Read Status, Star Rating, Review.", "Book Id, Title, Author"),
        (b"Titulo;Autor;My Rating\n1;2;3", "skoob", "Title, Author.", "Titulo, Autor, My Rating."),
        ("Título\tAuthor\tMy Rating\n".encode("utf-16"), "goodreads", "Title.", "Título, Author, My Rating."),
        (b"x" * 500_000, "goodreads", "Title, Author, My Rating.", f"{'x' * 40}."),
    ],
)
def test_missing_columns_are_named(upload, data, source, missing, found):
    response = upload(data, source, begin_only=True)
    assert bad_fields(response) == {"file": "wrong_columns"}
    detail = response.json()["errors"][0]["detail"]
    assert f"Missing columns: {missing}" in detail
    assert f"Columns found: {found}" in detail


def test_duplicate_columns_are_named(upload):
    response = upload(goodreads({}, columns=[*GOODREADS, "MY RATING"]), begin_only=True)
    assert bad_fields(response) == {"file": "duplicate_columns"}
    assert "My Rating" in response.json()["errors"][0]["detail"]
    assert counts(upload(goodreads({}, columns=[*GOODREADS, "Condition", "Condition", "", ""]))) == (1, 0, 0, 0)


def test_rejection_is_translated(as_alice, upload):
    response = upload(b"a;b\n1;2\n", begin_only=True, HTTP_ACCEPT_LANGUAGE="pt-BR")
    assert "Colunas ausentes: Title, Author, My Rating." in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_header_only_is_an_empty_import(upload, delimiter):
    report = upload(goodreads(delimiter=delimiter))
    assert (report["status"], report["rows"]) == ("done", 0)
    assert upload(export(STORYGRAPH, delimiter=delimiter), "storygraph")["status"] == "done"


@pytest.mark.parametrize(
    "title",
    ["ÉÉÉ que bom", "AÉÉÉ", "ÁÉÍ", "Åäö", "···· e só", "O m² mais caro", "d'Été", "Nº 1", "Ça va — l’été", "Œuvres"],
)
def test_small_file_in_windows_1252_is_read(upload, title):
    assert counts(upload(goodreads(book(1, Title=title), encoding="cp1252"))) == (1, 0, 0, 0)
    assert Book.objects.get().title == title


# --- Damaged rows ----------------------------------------------------------------------------------------------------


def test_row_in_another_encoding_fails_alone(upload):
    good = goodreads(*(book(n, **{"My Review": "São Paulo"}) for n in range(3)))
    report = upload(good + goodreads(book(3, **{"My Review": "não"}), encoding="cp1252").split(b"\n", 1)[1])
    assert counts(report) == (3, 0, 0, 1)
    assert [(error["line"], error["code"]) for error in report["errors"]] == [(5, "unreadable")]


def test_damaged_utf_16_fails_alone(upload):
    data = goodreads(
        book(1), book(2, **{"My Review": "x\ud800y"}), book(3), encoding="utf-16-le", errors="surrogatepass"
    )
    report = upload(b"\xff\xfe" + data + b"\n")
    assert counts(report) == (2, 0, 0, 1)
    assert report["errors"][0]["code"] == "unreadable"


def test_long_row_is_imported(upload):
    assert counts(upload(goodreads({"My Review": "x; " * 300_000}))) == (1, 0, 0, 0)


def test_open_quote_in_a_semicolon_file_stays_private(upload):
    broken = goodreads({"My Review": "QUOTE fine"}, book(2), delimiter=";")
    report = upload(broken.replace(b"QUOTE", b'"'))
    assert report["failed"] >= 1
    assert not [review for review in Review.objects.all() if "sister" in review.body]


def test_quoted_row_with_an_open_quote_stays_private(upload):
    broken = wrapped(goodreads({"My Review": "one"}, book(2, **{"My Review": "QUOTE"}), book(3)))
    report = upload(broken.replace(b"QUOTE", b'""'))
    assert report["failed"] >= 1
    assert not [review for review in Review.objects.all() if "sister" in review.body]


# --- ISBNs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("isbn13", "isbn"),
    [
        ("9780345539786", ""),
        ("978-0-345-53978-6", ""),
        ("'9780345539786", ""),
        ("9780345539786.0", ""),
        ("9,78035E+12", "345539788"),
        ("9.78035E+12", '="0345539788"'),
        ("", "345539788"),
        ("ISBN-13 978-0-345-53978-6", ""),
    ],
)
def test_isbn_of_a_spreadsheet_is_read(upload, isbn13, isbn):
    report = upload(goodreads({"ISBN13": isbn13, "ISBN": isbn}))
    assert remarks(report) == {"book_added": 1}
    assert Book.objects.get().isbn13 == "9780345539786"


def test_several_lost_zeros_of_an_isbn_are_restored(upload):
    upload(export(SKOOB, {"ISBN": "7136587"}))
    assert Book.objects.get().isbn13 == "9780007136582"


@pytest.mark.parametrize("text", ["9,78035E+12", "9.78E+12", "9.780345e12", "3.45540E+08"])
@pytest.mark.parametrize("source", ["goodreads", "skoob", "storygraph"])
def test_rounded_isbn_is_ignored_with_a_warning(upload, text, source):
    data = storygraph({"ISBN/UID": text}) if source == "storygraph" else export(SKOOB, {"ISBN": text})
    report = upload(data, source)
    assert remarks(report) == {"book_added": 1, "rounded_isbn": 1}
    assert Book.objects.get().isbn13 is None
    assert remarks(upload(data, source)) == {"unchanged": 1}


def test_isbn_of_zero_is_no_isbn(upload):
    report = upload(export(SKOOB, {"ISBN": "0"}))
    assert remarks(report) == {"book_added": 1, "bad_isbn": 1}
    assert Book.objects.get().isbn13 is None


def test_unknown_source_is_rejected(as_alice, upload):
    problem(upload(goodreads({}), "librarything", begin_only=True), 400, "invalid")
