"""Dates of imported reviews: the forms of spreadsheets, and reviews without a date."""

import datetime
import json

import pytest
import time_machine
from django.utils import timezone

from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from moderation.services import open_case
from reviews.imports.dates import AmbiguousDateError, is_day_first, parse_date
from reviews.models import Review
from tests.reviews.exports import book, goodreads, storygraph
from tests.reviews.helpers import counter_differences, ids, remarks

pytestmark = pytest.mark.django_db


def days(response) -> list[str | None]:
    return [row["created_at"] and row["created_at"][:10] for row in response.json()["results"]]


def dated(n: int, read: str, added: str = "") -> dict[str, str]:
    return book(n, **{"Date Read": read, "Date Added": added})


@pytest.mark.parametrize(
    "text",
    [
        *("2022/12/25", "2022-12-25", "2022.12.25", "2022-12-25T23:30:00Z", "2022-12-25 00:00:00", "2022. 12. 25."),
        *("25/12/2022", "25.12.2022", "25-12-2022", "25/12/22", "25/12/2022 00:00", "25/12/2022, 14:30"),
        *("12/25/2022", "12/25/22", "12/25/2022 12:00:00 AM"),
        *("44920", "44920.5", "44920,0"),
        *("25-Dec-22", "25 Dec 2022", "Dec 25, 2022", "December 25th, 2022", "Sunday, December 25, 2022"),
        *(
            "25/dez/2022",
            "25 de dezembro de 2022",
            "25 dez. 2022",
            "domingo, 25 de dezembro de 2022",
            "2022-Dec-25",
            "dom., 25 de dez. de 2022",
        ),
        *("25 décembre 2022", "25 déc. 2022", "25 DÉCEMBRE 2022", "25. Dezember 2022", "25 de diciembre de 2022"),
        *("25 dicembre 2022", "domenica, 25 dic. 2022"),
    ],
)
def test_date_with_one_meaning_is_read(text):
    for day_first in (None, True, False):
        assert parse_date(text, day_first=day_first) == datetime.date(2022, 12, 25)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        *(("1er août 2022", 8), ("1 sept. 2022", 9), ("1. März 2022", 3), ("1. Maerz 2022", 3), ("1 mayo 2022", 5)),
        *(("1 juin 2022", 6), ("1 juil. 2022", 7), ("1 luglio 2022", 7), ("1 gen 2022", 1), ("1 ene 2022", 1)),
        *(("1 mai 2022", 5), ("1 mag 2022", 5), ("1 marco 2022", 3), ("1 ottobre 2022", 10), ("1 oktober 2022", 10)),
    ],
)
def test_months_of_six_languages_are_read(text, month):
    assert parse_date(text, day_first=None) == datetime.date(2022, month, 1)


@pytest.mark.parametrize("text", ["05/06/2021", "5.6.2021", "05-06-21", "5/6/2021 10:00"])
def test_ambiguous_date_depends_on_the_file(text):
    assert parse_date(text, day_first=True) == datetime.date(2021, 6, 5)
    assert parse_date(text, day_first=False) == datetime.date(2021, 5, 6)
    with pytest.raises(AmbiguousDateError):
        parse_date(text, day_first=None)


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "2022", "12/2022", "2022/13/01", "31/02/2022", "25/25/2022", "25/12/122", "25/12", "1 2 2003"),
        *(
            "25 marca 2022",
            "5 martes 2022",
            "3 jui 2022",
            "3 ju 2022",
            "3 janvierx 2022",
            "3 decade 2022",
            "3 января 2022",
        ),
        *("25 foo 2022", "########", "449", "3015/01/01", "25/12/1822", "٢٥/١٢/٢٠٢٢", "99999", "0000/00/00", "a b c"),
        *("25" + " " * 1_000_000 + "12 2022", "1/" * 1_000_000, "a-" * 1_000_000),
    ],
)
def test_other_texts_are_no_dates(text):
    for day_first in (None, True, False):
        with pytest.raises(ValueError, match=r".") as error:
            parse_date(text, day_first=day_first)
        assert not isinstance(error.value, AmbiguousDateError)


@pytest.mark.parametrize(
    ("texts", "day_first"),
    [
        (["05/06/2021", "25/12/2022"], True),
        (["05/06/2021", "12/25/22 10:00"], False),
        (["05/06/2021", "06/06/2021", "2022/12/25", "", "x", "44920"], None),
        (["25/12/2022", "12/25/2022"], None),
        (["32/12/2022", "00/13/2022", "25/12", "25/25/2022"], None),
        ([], None),
    ],
)
def test_order_of_day_and_month_needs_evidence(texts, day_first):
    assert is_day_first(texts) is day_first


@pytest.mark.parametrize("cell", ["'{}", '="{}"', '"{}"'])
def test_date_marked_as_text_is_read(upload, as_bob, cell):
    upload(goodreads(dated(1, cell.format("05/06/2021")), dated(2, cell.format("25/12/2022"))))
    assert days(as_bob.get("/api/v1/reviews/")) == ["2022-12-25", "2021-06-05"]


def test_two_digit_year_is_not_in_the_future():
    with time_machine.travel(datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)):
        assert parse_date("25/12/25", day_first=None).year == 2025
        assert parse_date("25/12/99", day_first=None).year == 1999


@pytest.mark.parametrize(
    ("certain", "expected"),
    [
        ("25/12/2022", ["2022-12-25", "2021-06-05"]),
        ("12/25/2022", ["2022-12-25", "2021-05-06"]),
        ("2022/12/25", ["2022-12-25", None]),
    ],
)
def test_one_date_decides_the_order_of_the_others(upload, as_bob, certain, expected):
    report = upload(goodreads(dated(1, "05/06/2021"), dated(2, "", certain)))
    assert days(as_bob.get("/api/v1/reviews/")) == expected
    assert remarks(report).get("ambiguous_date", 0) == expected.count(None)


@pytest.mark.parametrize(
    ("read", "added", "code"),
    [
        ("05/06/2021", "06/07/2021", "ambiguous_date"),
        ("05/06/2021", "2021/07/06", "ambiguous_date"),
        ("", "05/06/21", "ambiguous_date"),
        ("soon", "05.06.2021", "bad_date"),
        ("25 marraskuuta 2022", "2021/06/05", "bad_date"),
        ("12 Martedì 2022", "2021/06/05", "bad_date"),
        ("soon", "", "bad_date"),
        ("", "31/02/2022", "bad_date"),
        ("", "", "no_date"),
    ],
)
def test_unknown_date_is_null_and_reported(upload, as_alice, read, added, code):
    report = upload(goodreads(dated(1, read, added)))
    assert remarks(report) == {"book_added": 1, code: 1}
    review = Review.objects.get()
    assert as_alice.get(f"/api/v1/reviews/{review.pk}/").json()["created_at"] is None
    assert remarks(upload(goodreads(dated(1, read, added)))) == {"unchanged": 1}
    assert json.loads(as_alice.get("/api/v1/users/me/export/").getvalue())["reviews"][0]["created_at"] is None


def test_undated_storygraph_review_is_reported(upload):
    report = upload(storygraph({"Last Date Read": "05/06/2021", "Date Added": "01/02/2021"}), "storygraph")
    assert remarks(report)["ambiguous_date"] == 1


def test_undated_reviews_come_last_in_pages(upload, as_alice, as_bob):
    upload(goodreads(dated(1, ""), dated(2, "2021/05/06"), dated(3, "?"), dated(4, "2022/05/06"), dated(5, "")))
    as_bob.post("/api/v1/reviews/", {"book": Book.objects.first().pk, "rating": 5})
    seen, pages, url = [], [], "/api/v1/reviews/?page_size=2"
    while url:
        page = as_alice.get(url)
        pages.append(ids(page))
        seen += days(page)
        url = page.json()["next"]
    assert seen == [f"{timezone.now():%Y-%m-%d}", "2022-05-06", "2021-05-06", None, None, None]
    backwards, url = [ids(page)], page.json()["previous"]
    while url:
        page = as_alice.get(url)
        backwards.insert(0, ids(page))
        url = page.json()["previous"]
    assert backwards == pages
    assert len({pk for page in pages for pk in page}) == 6


def test_undated_reviews_are_counted_without_a_month(upload, club, alice):
    upload(goodreads(dated(1, ""), dated(2, "2021/05/06")))
    assert counter_differences() == (0, [])
    alice.refresh_from_db()
    assert alice.reviews_count == 2
    Review.objects.get(created_at=None).delete_review()
    assert counter_differences() == (0, [])


def test_later_export_with_a_date_dates_the_review(upload):
    upload(goodreads(dated(1, "05/06/2021")))
    assert remarks(upload(goodreads(dated(1, "05/06/2021"), dated(2, "25/12/2022")))) == {"book_added": 1}
    assert {str(review.created_at.date()) for review in Review.objects.all()} == {"2021-06-05", "2022-12-25"}
    assert remarks(upload(goodreads(dated(1, "")))) == {"unchanged": 1}
    assert counter_differences() == (0, [])


@pytest.mark.parametrize("undated", [0, 1])
def test_merge_keeps_the_dated_review(add_book, alice, staff, undated):
    books = [add_book("Emma"), add_book("Emma 2")]
    for n, read in enumerate(books):
        fields = {"created_at": None} if n == undated else {}
        Review.create_review(book=read, by=alice, rating=1 + n, **fields)
    merge = merge_books(target=books[0], source=books[1], by=staff, reason="The same work")
    assert Review.objects.get().rating == 2 - undated
    undo_merge(merge, by=staff, reason="Two works")
    assert dict(Review.objects.values_list("rating", "created_at"))[1 + undated] is None
    assert counter_differences() == (0, [])


def test_undated_review_can_be_moderated(add_book, alice, staff, client):
    review = Review.create_review(book=add_book(), by=alice, body="Dazzling.", created_at=None)
    client.force_login(staff)
    assert client.get("/admin/reviews/review/?o=8").status_code == 200
    assert client.get(f"/admin/reviews/review/{review.pk}/change/").status_code == 200
    case = open_case("review", review.pk, by=staff)
    page = client.get(f"/admin/moderation/case/{case.pk}/change/")
    assert "Dazzling." in page.content.decode()
