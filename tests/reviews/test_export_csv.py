"""GET users/me/export.csv, and importing it again without loss."""

import csv
import datetime
import io

import pytest

from catalog.models import Book
from core.admin.csv_export import FORMULA_PREFIXES
from readings.models import Reading
from reviews import csv_layout
from reviews.models import Review
from tests.clubs.helpers import problem

pytestmark = pytest.mark.django_db

URL = "/api/v1/users/me/export.csv"
AT = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
HOSTILE = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "'=1", "''@x", "'Salem's Lot", '"quoted", ; and\ttab', "Ação 📚")


def rows(response):
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))


@pytest.fixture
def library(bob):
    """Reviews and readings of every kind."""
    for n, text in enumerate(HOSTILE):
        book = Book.create_book(by=None, title=text, authors=[f"Author {n}", "Silva, Ana", "Someone"])
        body = f"{text}\n\n  <b>&amp;</b> <br/> & {text}"
        # Titles have no tabs.
        fields = {"title": text.replace("\t", " "), "contains_spoilers": bool(n % 2), "language": "pt-br"}
        Review.create_review(
            book=book, by=bob, rating=n + 1, body=body, visibility=["public", "clubs", "private"][n % 3], **fields
        )
        Review.objects.filter(book=book).update(created_at=None if n == 3 else AT)
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"], isbn13="9780306406157", page_count=400)
    day = datetime.date(2024, 1, 20)
    for values in (
        {"state": "finished", "started_on": datetime.date(2020, 1, 1), "finished_on": datetime.date(2020, 2, 1)},
        {"state": "finished"},
        {"state": "stopped", "finished_on": day},
        {"state": "reading", "started_on": day, "percent": 40.5},
    ):
        Reading.create_reading(book=book, by=bob, **values)


def snapshot(user):
    reviews = (
        Review.objects.filter(author=user)
        .order_by("book")
        .values_list(*("book", "rating", "title", "body", "contains_spoilers", "visibility", "language", "created_at"))
    )
    readings = Reading.objects.filter(user=user).values_list("book", "state", "percent", "started_on", "finished_on")
    return list(reviews), sorted(readings, key=str)


def test_export_has_goodreads_columns(as_bob, library):
    found = rows(as_bob.get(URL))
    assert list(found[0])[: len(csv_layout.GOODREADS_COLUMNS)] == list(csv_layout.GOODREADS_COLUMNS)
    emma = next(row for row in found if row["Title"] == "Emma")
    assert (emma["ISBN13"], emma["My Rating"], emma["Exclusive Shelf"]) == ("9780306406157", "0", "currently-reading")
    assert (emma["Date Read"], emma["Read Count"], emma["Number of Pages"]) == ("2020/02/01", "2", "400")
    assert emma["Readings"] == (
        "finished ../..; finished 2020-01-01/2020-02-01; stopped ../2024-01-20; reading 2024-01-20/.. 40.5%"
    )


def test_no_cell_is_a_formula(as_bob, library):
    cells = [cell for row in rows(as_bob.get(URL)) for cell in row.values()]
    assert len(cells) > 100
    assert [cell for cell in cells if cell.startswith(FORMULA_PREFIXES)] == []


def test_export_is_imported_without_loss(as_bob, as_charlie, bob, charlie, library, upload):
    data = as_bob.get(URL).getvalue()
    report = upload(data, "bookbridge", client=as_charlie)
    assert report["errors"] == []
    assert snapshot(charlie) == snapshot(bob)
    assert Book.objects.count() == len(HOSTILE) + 1


def test_import_into_the_same_account_changes_nothing(as_bob, bob, library, upload):
    before = snapshot(bob)
    report = upload(as_bob.get(URL).getvalue(), "bookbridge", client=as_bob)
    assert (report["created"], report["updated"], report["failed"]) == (0, 0, 0)
    assert snapshot(bob) == before


def test_export_has_only_own_rows(as_mallory, anonymous, library):
    assert rows(as_mallory.get(URL)) == []
    problem(anonymous.get(URL), 401, "not_authenticated")


def test_export_takes_constant_queries(as_bob, bob, library, django_assert_max_num_queries):
    # The session; an event and its counters; the ids; reviews, readings, books with authors and editions.
    with django_assert_max_num_queries(14):
        as_bob.get(URL).getvalue()


@pytest.mark.parametrize("text", [*HOSTILE, "", "'", "'''=", "\t", "\r\n=", "ordinary"])
def test_guard_is_undone_exactly(text):
    assert csv_layout.unguard(csv_layout.guard(text)) == text
    assert not csv_layout.guard(text).startswith(FORMULA_PREFIXES)


@pytest.mark.parametrize(
    "text",
    ["read", "finished", "finished 2024-01-01", "finished 2024-02-30/..", "finished 2024-02-02/2024-01-01"]
    + ["reading ../2024-01-01", "finished 2999-01-01/..", "finished ../.. -5%", "finished ../..;" * 501],
)
def test_invalid_readings_fail_their_row_only(as_bob, upload, text):
    report = upload(f"Title,Author,Readings\nA,B,{text}\nEmma,Jane Austen,finished ../..\n".encode(), "bookbridge")
    assert [error["code"] for error in report["errors"]] == ["bad_readings"]
    assert Reading.objects.get().book.title == "Emma"


def test_minimal_file_is_imported(upload):
    report = upload(b"title;author;my rating\nEmma;Jane Austen;4,5\n", "bookbridge")
    assert (report["created"], Review.objects.get().rating) == (1, 9)


def test_invisible_text_is_not_imported(upload):
    upload("Title,Author,My Rating,My Review\nEmma,Jane Austen,4,\u200b \u200b\n".encode(), "bookbridge")
    assert Review.objects.get().body == ""


@pytest.mark.parametrize(("tag", "stored"), [("por-BR", "pt-br"), ("eng", "en"), ("none!", "en")])
def test_language_of_review_is_stored_as_the_shortest_tag(upload, tag, stored):
    upload(f"Title,Author,My Rating,My Review,Review Language\nEmma,Jane Austen,4,Good,{tag}\n".encode(), "bookbridge")
    assert Review.objects.get().language == stored


def test_unknown_visibility_is_private(upload):
    upload(b"Title,Author,My Rating,Visibility\nEmma,Jane Austen,4,friends\n", "bookbridge")
    assert Review.objects.get().visibility == "private"
