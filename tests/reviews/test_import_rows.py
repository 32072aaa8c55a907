"""Parsing of export rows: rating, text, date and book."""

import datetime
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from catalog.models import Book, Edition
from reviews.imports import rows
from reviews.imports.markup import html_to_text
from reviews.models import Review
from tests.reviews.exports import OLD_GOODREADS, goodreads, storygraph
from tests.reviews.helpers import book_statistics, counter_differences, remarks

pytestmark = pytest.mark.django_db


def outcome(report) -> tuple[int, int, int, int]:
    assert report["status"] == "done"
    counts = (report["created"], report["updated"], report["skipped"], report["failed"])
    assert report["rows"] == report["done"] == sum(counts)
    return counts


def test_goodreads_row_creates_a_review(upload, alice, as_alice):
    assert outcome(upload(goodreads({}))) == (1, 0, 0, 0)
    review = Review.objects.get()
    book = review.book
    assert (review.author, review.rating, review.title, review.visibility) == (alice, 10, "", "public")
    assert review.body == "Awesome.\nLoved Darrow & Sevro."
    assert (review.language, review.contains_spoilers) == ("en", False)
    assert (str(review.created_at.date()), review.edited_at) == ("2015-03-14", None)
    assert (book.title, book.authors, book.added_by) == ("Red Rising (Red Rising Saga, #1)", ["Pierce Brown"], alice)
    assert (book.isbn13, book.published_year, book.page_count, book.origin) == ("9780345539786", 2013, 382, None)
    edition = Edition.objects.get()
    assert (edition.publisher, edition.format, edition.published_year) == ("Del Rey", "Hardcover", 2014)
    assert book_statistics(as_alice, book) == (5.0, 1, {"5.0": 1})
    alice.refresh_from_db()
    assert alice.reviews_count == 1
    assert counter_differences() == (0, [])


def test_storygraph_row_creates_a_review(upload, alice):
    report = upload(storygraph({"Authors": "Pierce Brown, Someone Else, Jr."}), "storygraph")
    assert outcome(report) == (1, 0, 0, 0)
    review = Review.objects.get()
    assert (review.author, review.rating, review.body) == (alice, 8, "Grim and funny.")
    assert str(review.created_at.date()) == "2021-02-09"
    assert review.book.authors == ["Pierce Brown", "Someone Else, Jr."]
    assert Edition.objects.get().format == "paperback"


def test_private_notes_are_not_imported(upload, as_bob):
    upload(goodreads({}))
    book = Book.objects.get()
    for path in ("reviews/", f"books/{book.pk}/", f"books/{book.pk}/reviews/"):
        assert b"sister" not in as_bob.get(f"/api/v1/{path}").content
    assert not [
        v for row in (*Review.objects.values(), *Book.objects.values()) for v in row.values() if "sister" in str(v)
    ]


def test_old_goodreads_export_with_bom_is_imported(upload):
    assert outcome(upload(b"\xef\xbb\xbf" + goodreads({}, columns=OLD_GOODREADS))) == (1, 0, 0, 0)


def test_windows_line_endings_are_normalized(upload):
    data = goodreads({"My Review": "one\ntwo\n\n\n\nthree"}).replace(b"\n", b"\r\n")
    assert outcome(upload(data)) == (1, 0, 0, 0)
    assert Review.objects.get().body == "one\ntwo\n\nthree"


def test_language_defaults_to_that_of_the_user(upload, alice):
    alice.update_profile(language="pt-BR")
    upload(goodreads({}))
    assert Review.objects.get().language == "pt-br"


@pytest.mark.parametrize("visibility", ["clubs", "private"])
def test_imported_reviews_can_be_private(upload, as_bob, visibility):
    assert outcome(upload(goodreads({}), visibility=visibility)) == (1, 0, 0, 0)
    assert as_bob.get("/api/v1/reviews/").json()["results"] == []
    assert Book.objects.get().ratings_count == 0


@pytest.mark.parametrize(
    ("text", "half_stars", "rounded"),
    [
        ("0.25", 1, 1),
        ("0.5", 1, 0),
        ("1", 2, 0),
        ("3.75", 8, 1),
        ("4.0", 8, 0),
        ("4.25", 9, 1),
        ("4.5", 9, 0),
        ("4,5", 9, 0),
        ("4,25", 9, 1),
        ("4,0", 8, 0),
        ("4.75", 10, 1),
        ("5.0", 10, 0),
        ("", None, 0),
        ("0", None, 0),
        ("0.0", None, 0),
    ],
)
@pytest.mark.parametrize("source", ["goodreads", "storygraph"])
def test_quarter_stars_are_rounded_up(upload, text, half_stars, rounded, source):
    export, column = (goodreads, "My Rating") if source == "goodreads" else (storygraph, "Star Rating")
    report = upload(export({column: text}), source)
    assert Review.objects.get().rating == half_stars
    assert remarks(report).get("rating_rounded", 0) == rounded


@pytest.mark.parametrize("text", ["5.25", "6", "-1", "five", "4,75,", "1e1", "٣", "nan"])
@pytest.mark.parametrize("source", ["goodreads", "storygraph"])
def test_invalid_rating_fails_only_its_row(upload, text, source):
    export, column = (goodreads, "My Rating") if source == "goodreads" else (storygraph, "Star Rating")
    report = upload(export({column: text}, {}), source)
    assert outcome(report) == (1, 0, 0, 1)
    assert report["errors"] == [{"line": 2, "code": "bad_rating", "reason": "Invalid rating."}]


@pytest.mark.parametrize(
    ("html", "text", "spoiler"),
    [
        ("plain", "plain", False),
        ("a<br/>b<br>c<BR />d", "a\nb\nc\nd", False),
        ("<p>one</p><p>two</p>", "one\ntwo", False),
        ("<div>one<br><br>two</div>", "one\n\ntwo", False),
        ('<a href="javascript:alert(1)">link</a> <b>bold</b>', "link bold", False),
        ("I <3 it, a < b and c > d & e &lt;b&gt; &eacute;", "I <3 it, a < b and c > d & e <b> é", False),
        ("said <Darrow> to <em>her</em>", "said <Darrow> to her", False),
        ("well <spoiler>he dies</spoiler>", "well he dies", True),
        ("x<script>alert('<b>')</script>y<style>p{}</style>z", "xyz", False),
        ("<blockquote>q</blockquote>said", "q\nsaid", False),
        ("an open <b", "an open <b", False),
        ("", "", False),
    ],
)
def test_markup_becomes_plain_text(html, text, spoiler):
    assert html_to_text(html) == (text, spoiler)


def test_hostile_markup_is_parsed_quickly():
    began = timezone.now()
    for bad in (
        "<" * 1_000_000,
        "<!--" * 250_000,
        "&#" * 500_000,
        "<a " * 300_000,
        "<![CDATA[" * 100_000,
        "</" * 500_000,
        "<p>" * 300_000,
    ):
        html_to_text(bad)
    assert timezone.now() - began < datetime.timedelta(seconds=5)


@pytest.mark.parametrize("cells", [{"Spoiler": "true"}, {"My Review": "so <spoiler>he dies</spoiler>"}])
def test_spoilers_stay_marked(upload, cells):
    upload(goodreads(cells))
    assert Review.objects.get().contains_spoilers is True


def test_long_text_is_truncated_with_a_warning(upload):
    report = upload(goodreads({"My Review": "é" * 12_000}))
    assert remarks(report)["text_cut"] == 1
    body = Review.objects.get().body
    assert (len(body), body[-2:]) == (10_000, "é…")


@pytest.mark.parametrize("cells", [{"My Rating": "0", "My Review": ""}, {"My Rating": "", "My Review": "<br/> \u200b"}])
def test_row_without_review_is_skipped_and_adds_no_book(upload, cells):
    report = upload(goodreads(cells | {"Exclusive Shelf": "to-read"}))
    assert outcome(report) == (0, 0, 1, 0)
    assert remarks(report) == {"nothing_to_review": 1}
    assert not Book.objects.exists()


@pytest.mark.parametrize(
    ("read", "added", "day", "warnings"),
    [
        ("2015/03/14", "2014/12/01", "2015-03-14", 0),
        ("2015-3-4", "2014/12/01", "2015-03-04", 0),
        ("", "2014/12/01", "2014-12-01", 0),
        ("yesterday", "2014/12/01", None, 1),
        ("31/02/2022", "2014/12/01", None, 1),
        ("2022", "2014/12/01", None, 1),
        ("2022年12月25日", "2014/12/01", None, 1),
        (" ", "2014/12/01", "2014-12-01", 0),
        ("3015/01/01", "2015/02/30", None, 1),
        ("0000/00/00", "1066/10/14", None, 1),
        ("", "", None, 0),
    ],
)
def test_date_is_that_of_reading_or_adding(upload, read, added, day, warnings):
    report = upload(goodreads({"Date Read": read, "Date Added": added}))
    written = Review.objects.get().created_at
    assert (written and str(written.date())) == day
    assert remarks(report).get("bad_date", 0) == warnings


def test_future_date_is_replaced_by_now():
    now = datetime.datetime(2026, 11, 22, 9, tzinfo=datetime.UTC)
    with time_machine.travel(now, tick=False):
        assert rows.date_read(["2026/11/22"], []) == rows.date_read(["2026/11/23"], []) == now
        assert rows.date_read(["2026/11/24"], []) is None


@pytest.mark.parametrize(
    ("title", "authors", "isbn"),
    [
        ("Some other title", ["Somebody"], "9780345539786"),
        ("Red Rising", ["Pierce Brown"], None),
        ("RED RISING", ["pierce  brown", "Someone"], None),
        ("Red Rising (Red Rising Saga, #1)", ["Pierce Brown"], None),
        ("Red Rising (Red Rising Trilogy #1)", ["P. Ierce Brown"], "9781444758993"),
    ],
)
def test_book_is_matched_by_isbn_or_title_and_author(upload, title, authors, isbn):
    book = Book.create_book(by=None, title=title, authors=authors, isbn13=isbn)
    for data, source in ((goodreads({}), "goodreads"), (storygraph({"Title": "red rising"}), "storygraph")):
        Review.objects.all().delete()
        upload(data, source)
        assert Review.objects.get().book == book
    assert Book.objects.count() == 1


@pytest.mark.parametrize(
    ("title", "authors"),
    [
        ("Red Rising", ["Somebody Else"]),
        ("Red Rising Again", ["Pierce Brown"]),
        ("Red Rising (a sequel)", ["Pierce Brown"]),
        ("Red", ["Pierce Brown"]),
    ],
)
def test_different_book_is_not_matched(upload, title, authors):
    book = Book.create_book(by=None, title=title, authors=authors)
    upload(goodreads({}))
    assert Review.objects.get().book != book


def test_most_rated_of_several_matches_is_chosen(upload):
    Book.create_book(by=None, title="Red Rising", authors=["Pierce Brown"])
    known = Book.create_book(by=None, title="Red Rising", authors=["Pierce Brown"])
    Book.objects.filter(pk=known.pk).update(ratings_count=7, ratings_sum=70, stars_10=7, average_rating=Decimal(5))
    upload(goodreads({}))
    assert Review.objects.get().book == known


def test_invalid_isbn_is_ignored_with_a_warning(upload):
    report = upload(goodreads({"ISBN": '="0345539789"', "ISBN13": '="9780345539787"'}))
    assert outcome(report) == (1, 0, 0, 0)
    assert remarks(report) == {"bad_isbn": 1, "book_added": 1}
    assert Book.objects.get().isbn13 is None


def test_storygraph_ids_without_isbn_are_accepted(upload):
    report = upload(storygraph({"ISBN/UID": "B0851JCZYV"}), "storygraph")
    assert remarks(report) == {"book_added": 1}


def test_two_editions_of_a_book_give_one_review(upload):
    data = goodreads({}, {"Book Id": "2", "ISBN": '=""', "ISBN13": '="9781444758993"', "My Rating": "1"})
    report = upload(data)
    assert outcome(report) == (1, 0, 1, 0)
    assert remarks(report)["same_book"] == 1
    assert Review.objects.get().rating == 10
    assert outcome(upload(data)) == (0, 0, 2, 0)


def test_missing_title_or_author_fails_the_row(upload):
    report = upload(goodreads({"Title": " "}, {"Title": "x" * 501}, {"Author": ""}, {"Author": "x" * 201}))
    assert [error["code"] for error in report["errors"]] == ["bad_title", "bad_title", "bad_author", "bad_author"]
    assert [error["line"] for error in report["errors"]] == [2, 3, 4, 5]


@pytest.mark.parametrize("name", ["x" * 250, "\u200b", " "])
def test_invalid_additional_author_is_ignored(upload, name):
    assert outcome(upload(goodreads({"Additional Authors": f"{name}, Alan Lee"}))) == (1, 0, 0, 0)
    assert Book.objects.get().authors == ["Pierce Brown", "Alan Lee"]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Neil Gaiman; Terry Pratchett", ["Neil Gaiman", "Terry Pratchett"]),
        ("村上春樹、川上未映子", ["村上春樹", "川上未映子"]),
        ("Tolkien, J.R.R.", ["Tolkien, J.R.R."]),
        ("King, Martin Luther, Jr.", ["King, Martin Luther, Jr."]),
        ("Simon & Schuster", ["Simon & Schuster"]),
    ],
)
def test_authors_of_a_goodreads_row(upload, cell, names):
    upload(goodreads({"Author": cell}))
    assert Book.objects.get().authors == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Tolkien, J.R.R.", ["J.R.R. Tolkien"]),
        ("Lewis, C. S., Pauline Baynes", ["C. S. Lewis", "Pauline Baynes"]),
        ("Толстой, Л. Н.", ["Л. Н. Толстой"]),
        ("Sartre, J.-P.; Simone de Beauvoir", ["J.-P. Sartre", "Simone de Beauvoir"]),
        ("村上春樹、川上未映子", ["村上春樹", "川上未映子"]),
        ("莫言，余华", ["莫言", "余华"]),
        ("Martin Luther King, Jr., Li", ["Martin Luther King, Jr.", "Li"]),
    ],
)
def test_authors_of_a_storygraph_row(upload, cell, names):
    upload(storygraph({"Authors": cell}), "storygraph")
    assert Book.objects.get().authors == names


def test_control_characters_are_removed_from_names(upload):
    upload(goodreads({"Title": "Em\u202ema\x1bII", "Author": "Jane\u2028Austen"}))
    book = Book.objects.get()
    assert (book.title, book.authors) == ("Emma II", ["Jane Austen"])


def test_formula_is_imported_as_text(upload):
    upload(goodreads({"Title": "=HYPERLINK(0)", "My Review": "=1+1"}))
    assert Review.objects.get().body == "=1+1"
    assert Book.objects.get().title == "=HYPERLINK(0)"


def test_error_reasons_are_translated(upload, as_alice):
    report = upload(goodreads({"My Rating": "9"}))
    response = as_alice.get(f"/api/v1/users/me/imports/{report['id']}/", headers={"Accept-Language": "pt-BR"})
    assert response.json()["errors"][0]["code"] == "bad_rating"
