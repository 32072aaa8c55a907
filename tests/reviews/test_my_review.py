"""`my_review` of a book: the id of the caller's own review."""

import pytest
from rest_framework.test import APIClient

from catalog.merges.services import merge_books
from catalog.models import Book
from reviews.models import Review
from tests.reviews.helpers import REVIEWS

pytestmark = pytest.mark.django_db
BOOKS = "/api/v1/books/"


def my_review(client, book):
    response = client.get(f"{BOOKS}{book.pk}/")
    assert response.status_code == 200
    return response.json()["my_review"]


@pytest.mark.parametrize(
    "fields", [{}, {"visibility": "clubs"}, {"visibility": "private"}, {"rating": None, "body": "B"}]
)
def test_book_names_the_callers_review(as_alice, as_bob, anonymous, alice, book, add_book, fields):
    clients = (as_alice, as_bob, anonymous)
    assert [my_review(client, book) for client in clients] == [None, None, None]
    review = Review.create_review(book=book, by=alice, **{"rating": 8} | fields)
    assert [my_review(client, book) for client in clients] == [review.pk, None, None]
    assert my_review(as_alice, add_book("Persuasion")) is None
    review.hide()
    assert my_review(as_alice, book) == review.pk
    review.delete_review()
    assert my_review(as_alice, book) is None


def test_writes_of_a_book_name_the_review(as_alice, alice):
    created = as_alice.post(BOOKS, {"title": "Emma", "author": "Jane Austen"}).json()
    assert created["my_review"] is None
    review = as_alice.post(REVIEWS, {"book": created["id"], "rating": 4}).json()["id"]
    path = f"{BOOKS}{created['id']}/"
    for response in (
        as_alice.patch(path, {"title": "Emma!", "my_review": 1}),
        as_alice.put(path, {"title": "Emma", "author": "Jane Austen"}),
    ):
        assert response.json()["my_review"] == review


def test_lists_have_no_my_review(as_alice, alice, book):
    Review.create_review(book=book, by=alice, rating=8)
    [row] = as_alice.get(BOOKS).json()["results"]
    assert "my_review" not in row


def test_merged_book_names_the_moved_review(as_alice, alice, staff, book, add_book):
    review = Review.create_review(book=add_book("Emma!"), by=alice, rating=8)
    merge_books(target=book, source=review.book, by=staff, reason="The same work")
    assert my_review(as_alice, book) == review.pk


def test_my_review_takes_one_query(as_alice, alice, bob, book, anonymous, django_assert_num_queries):
    for user in (alice, bob):
        Review.create_review(book=book, by=user, rating=8)
    path = f"{BOOKS}{book.pk}/"
    # The session; the book with its authors, subjects and editions; the review.
    with django_assert_num_queries(3):
        as_alice.get(path)


def test_etag_follows_my_review(as_alice, alice, book):
    path = f"{BOOKS}{book.pk}/"
    etag = as_alice.get(path)["ETag"]
    assert as_alice.get(path, headers={"If-None-Match": etag}).status_code == 304
    Review.create_review(book=book, by=alice, rating=None, body="Private", visibility="private")
    assert as_alice.get(path, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_my_review_is_not_in_the_shared_cache(as_alice, as_bob, alice, anonymous):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    review = Review.create_review(book=book, by=alice, rating=8, visibility="private")
    for _ in range(2):
        assert my_review(as_alice, book) == review.pk
        assert my_review(as_bob, book) is None
        assert my_review(anonymous, book) is None
    assert "public" in APIClient().get(f"{BOOKS}{book.pk}/")["Cache-Control"]
    assert as_alice.get(f"{BOOKS}{book.pk}/")["Cache-Control"] == "private, no-cache"
