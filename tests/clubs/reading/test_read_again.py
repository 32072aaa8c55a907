"""Listing a book again, and entering old books with their dates."""

import pytest

from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.models import Entry
from reviews.models import Review
from tests.clubs.reading.helpers import assert_counted, codes, status_and_code, url
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(add_book):
    return add_book("Emma")


def finish(client, club, entry, day):
    response = client.patch(url(club, entry), {"status": "finished", "finished_on": day})
    assert response.status_code == 200, response.content


def test_finished_book_is_listed_again_with_the_next_number(as_moe, as_bob, club, book):
    body = {"book": book.pk, "status": "finished", "finished_on": "2016-05-31"}
    first = as_moe.post(url(club), body).json()
    assert first["reading_number"] == 1
    second = as_bob.post(url(club), {"book": book.pk})
    assert (second.status_code, second.json()["reading_number"]) == (201, 2)
    third = as_moe.post(url(club), {"book": book.pk})
    assert status_and_code(third) == (409, "already_listed")
    assert third.json()["entry"] == second.json()["id"]
    as_moe.patch(url(club, second.json()["id"]), {"status": "dropped"})
    assert as_moe.post(url(club), {"book": book.pk}).json()["reading_number"] == 3
    assert_counted()


def test_closed_entry_cannot_be_opened_while_another_is_open(as_moe, club, book, alice):
    old = Entry.add_entry(club=club, book=book, by=alice, status="dropped")
    new = Entry.add_entry(club=club, book=book, by=alice, status="reading")
    response = as_moe.patch(url(club, old), {"status": "planned"})
    assert status_and_code(response) == (409, "already_listed")
    assert response.json()["entry"] == new.pk
    finish(as_moe, club, new, "2026-01-31")
    assert as_moe.patch(url(club, old), {"status": "planned"}).status_code == 200


def test_club_that_read_a_book_twice_counts_once(as_moe, anonymous, club, book, alice):
    for day in ("2016-05-31", "2026-05-31"):
        entry = Entry.add_entry(club=club, book=book, by=alice, status="reading")
        finish(as_moe, club, entry, day)
    stats = anonymous.get(f"/api/v1/books/{book.pk}/stats/").json()
    assert (stats["clubs_reading"], stats["clubs_finished"]) == (0, 1)
    months = as_moe.get(f"/api/v1/clubs/{club.pk}/stats/").json()["finished_by_month"]
    assert months == [{"month": "2016-05", "count": 1}, {"month": "2026-05", "count": 1}]
    as_moe.patch(url(club, entry), {"status": "reading"})
    stats = anonymous.get(f"/api/v1/books/{book.pk}/stats/").json()
    assert (stats["clubs_reading"], stats["clubs_finished"]) == (1, 1)
    assert_counted()
    as_moe.delete(url(club, entry))
    assert_counted()
    club.update_club(by=alice, visibility="private")
    assert_counted()
    club.update_club(by=alice, visibility="public")
    assert_counted()
    assert counter_differences() == (0, [])


def test_rating_of_a_book_read_twice_counts_once(as_moe, club, book, alice, bob):
    Entry.add_entry(club=club, book=book, by=alice, status="finished")
    Review.create_review(book=book, by=bob, rating=8)
    entry = Entry.add_entry(club=club, book=book, by=alice, status="reading")
    assert as_moe.get(url(club, entry)).json()["club_average_rating"] == 4
    assert as_moe.get(f"/api/v1/clubs/{club.pk}/stats/").json()["rating_histogram"]["4.0"] == 1
    assert counter_differences() == (0, [])


def test_ten_years_of_books_are_entered_with_their_dates(as_moe, club, add_book):
    for year in range(2016, 2026):
        dates = {"starts_on": f"{year}-03-01", "ends_on": f"{year}-03-31", "finished_on": f"{year}-03-29"}
        body = {"book": add_book(f"Book {year}").pk, "status": "finished"}
        response = as_moe.post(url(club), body | dates)
        assert response.status_code == 201, response.content
        assert {name: response.json()[name] for name in dates} == dates
    months = as_moe.get(f"/api/v1/clubs/{club.pk}/stats/").json()["finished_by_month"]
    assert months == [{"month": f"{year}-03", "count": 1} for year in range(2016, 2026)]
    body = {"book": add_book("Next").pk, "status": "finished"}
    assert codes(as_moe.post(url(club), body | {"finished_on": "2100-01-01"})) == {"finished_on": "in_future"}
    reverse = {"starts_on": "2020-02-01", "finished_on": "2020-01-01"}
    assert codes(as_moe.post(url(club), body | reverse)) == {"finished_on": "ends_before_start"}


def test_member_cannot_set_dates(as_bob, club, book):
    response = as_bob.post(url(club), {"book": book.pk, "finished_on": "2020-01-01"})
    assert response.status_code == 403


def test_books_merge_reading_by_reading(alice, moe, club, book):
    other = Book.create_book(by=None, title="Emma", authors=["J. Austen"])
    first = Entry.add_entry(club=club, book=book, by=alice, status="finished")
    twin = Entry.add_entry(club=club, book=other, by=alice, status="dropped")
    again = Entry.add_entry(club=club, book=other, by=alice, status="reading")
    merge = merge_books(target=book, source=other, by=moe, reason="The same work")
    assert list(Entry.objects.order_by("reading_number").values_list("pk", "book", "reading_number")) == [
        (first.pk, book.pk, 1),
        (again.pk, book.pk, 2),
    ]
    assert_counted()
    undo_merge(merge, by=moe, reason="Two works after all")
    assert set(Entry.objects.values_list("pk", "book", "reading_number")) == {
        (first.pk, book.pk, 1),
        (twin.pk, other.pk, 1),
        (again.pk, other.pk, 2),
    }
    assert_counted()
