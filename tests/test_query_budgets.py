"""The number of statements of the most frequent requests, without the response cache. A higher number needs a reason.

`benchmarks/request_costs.py` measures their time.
"""

import pytest

from catalog.models import Book
from clubs.models import Club, Entry
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(alice, bob, charlie):
    books = [
        Book.create_book(by=None, title=title, authors=["Jane Austen", "Anon"], subjects=["Novel"], isbn13=isbn)
        for title, isbn in (("Emma", "9780141439587"), ("Persuasion", "9780141439686"), ("Emma again", None))
    ]
    club = Club.create_club(by=alice, name="Emma", visibility="private")
    bring_in(club, bob)
    for book in books:
        Entry.add_entry(club=club, book=book, by=alice, status="reading")
        for user in (alice, charlie):
            Review.create_review(book=book, by=user, rating=9)
    return {"book": books[0].pk, "club": club.pk}


@pytest.mark.parametrize(
    ("place", "statements"),
    [
        ("books/{book}/", 1),  # book with authors, subjects and editions
        ("books/", 1),  # books with authors and subjects
        ("books/{book}/reviews/", 2),  # book, reviews
        ("reviews/", 1),
        ("books/?search=emma", 3),  # edge of the window, matches in it, books
        ("stats/", 3),  # counters, two lists of books
    ],
)
def test_public_read_stays_within_its_budget(anonymous, ids, django_assert_max_num_queries, place, statements):
    with django_assert_max_num_queries(statements):
        assert anonymous.get("/api/v1/" + place.format(**ids)).status_code == 200


@pytest.mark.parametrize(
    ("place", "statements"),
    [
        ("clubs/{club}/", 3),  # session, club, current entry; and, if it has one, next meeting with RSVP
        ("clubs/{club}/?include=books", 3),  # session, club, entries; and, if it has one, next meeting with RSVP
        ("clubs/{club}/books/", 3),  # session, club, entries
        ("reviews/", 2),  # session, reviews
        ("users/me/", 2),  # session, user
    ],
)
def test_members_read_stays_within_its_budget(as_bob, ids, django_assert_max_num_queries, place, statements):
    with django_assert_max_num_queries(statements):
        assert as_bob.get("/api/v1/" + place.format(**ids)).status_code == 200


def test_new_review_stays_within_its_budget(as_bob, ids, django_assert_max_num_queries):
    # Listed in `tests/core/test_write_budgets.py`, with other writes.
    with django_assert_max_num_queries(14):
        place = f"/api/v1/books/{ids['book']}/reviews/"
        assert as_bob.post(place, {"rating": 4, "body": "Quiet."}).status_code == 201


def test_login_stays_within_its_budget(anonymous, bob, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        body = {"username": "bob", "password": PASSWORD}
        assert anonymous.post("/api/v1/auth/login/", body).status_code == 200
