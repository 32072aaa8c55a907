"""Creating reviews: response, validation, and one review per user and book."""

import pytest

from reviews.models import Review
from tests.reviews.helpers import REVIEWS, bad_fields, problem

pytestmark = pytest.mark.django_db


def test_created_review_is_returned_completely(as_alice, alice, book):
    response = as_alice.post(
        REVIEWS,
        {
            **{"book": book.pk, "rating": 4.5, "title": "  Sharp ", "body": "Very.", "contains_spoilers": True},
            **{"language": "pt-BR", "visibility": "clubs", "likes_count": 7, "author": 99, "nonsense": 1},
        },
    )
    assert response.status_code == 201, response.content
    body = response.json()
    created_at = body.pop("created_at")
    assert created_at.endswith("Z")
    assert body == {
        "id": Review.objects.get().pk,
        "book": {"id": book.pk, "title": "Emma", "author": "Jane Austen", "cover_url": None},
        "author": {"id": alice.pk, "username": "alice", "display_name": "Alice", "avatar_url": None},
        "rating": 4.5,
        "title": "Sharp",
        "body": "Very.",
        "contains_spoilers": True,
        "language": "pt-BR",
        "visibility": "clubs",
        "likes_count": 0,
        "liked": False,
        "moderation": None,
        "edited_at": None,
    }
    assert as_alice.get(f"{REVIEWS}{body['id']}/").json() == body | {"created_at": created_at}


def test_omitted_fields_have_defaults(as_bob, bob, book):
    bob.update_profile(language="pt-BR")
    body = as_bob.post(f"/api/v1/books/{book.pk}/reviews/", {"rating": 3}).json()
    assert (body["book"]["id"], body["rating"], body["title"], body["body"]) == (book.pk, 3.0, "", "")
    assert (body["language"], body["visibility"], body["contains_spoilers"]) == ("pt-BR", "public", False)


@pytest.mark.parametrize("sent", [{"rating": 0.5}, {"rating": 5}, {"rating": "2.5"}, {"body": "Good."}])
def test_rating_or_text_is_enough(as_alice, book, sent):
    assert as_alice.post(REVIEWS, {"book": book.pk, **sent}).status_code == 201


def test_missing_rating_is_null(as_alice, book):
    assert as_alice.post(REVIEWS, {"book": book.pk, "rating": None, "body": "Good."}).json()["rating"] is None


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"rating": 0}, {"rating": "no_half_step"}),
        ({"rating": 5.5}, {"rating": "no_half_step"}),
        ({"rating": 3.7}, {"rating": "no_half_step"}),
        ({"rating": -1}, {"rating": "no_half_step"}),
        ({"rating": "NaN"}, {"rating": "invalid"}),
        ({"rating": "1e999"}, {"rating": "invalid"}),
        ({"rating": True}, {"rating": "invalid"}),
        ({"rating": [4]}, {"rating": "invalid"}),
        ({"rating": "good"}, {"rating": "invalid"}),
        ({}, {"rating": "required"}),
        ({"rating": None, "body": ""}, {"rating": "required"}),
        ({"body": "\u200b \u3164"}, {"body": "invisible"}),
        ({"rating": 3, "body": "x" * 10_001}, {"body": "max_length"}),
        ({"rating": 3, "title": "x" * 201}, {"title": "max_length"}),
        ({"rating": 3, "visibility": "friends"}, {"visibility": "invalid_choice"}),
        ({"rating": 3, "language": "klingon!"}, {"language": "invalid"}),
        ({"rating": 3, "contains_spoilers": "perhaps"}, {"contains_spoilers": "invalid"}),
        ({"rating": 3, "book": 10**9}, {"book": "does_not_exist"}),
        ({"rating": 3, "book": 10**30}, {"book": "does_not_exist"}),
        ({"rating": 3, "book": None}, {"book": "null"}),
        ({"rating": 3, "book": "x"}, {"book": "invalid"}),
    ],
)
def test_invalid_value_is_rejected(as_alice, book, body, errors):
    assert bad_fields(as_alice.post(REVIEWS, {"book": book.pk, **body})) == errors
    assert not Review.objects.exists()


def test_text_of_combining_accents_is_not_empty(as_alice, book):
    """MySQL compares a text of combining accents as equal to an empty one."""
    assert as_alice.post(REVIEWS, {"book": book.pk, "body": "a\u0301\u0301"}).status_code == 201
    Review.objects.get().update_review(body="\u0301")


def test_book_is_required(as_alice, db):
    assert bad_fields(as_alice.post(REVIEWS, {"rating": 4})) == {"book": "required"}


def test_reviews_of_a_missing_book_are_404(as_alice, anonymous, db):
    for client in (as_alice, anonymous):
        assert client.get("/api/v1/books/99999999/reviews/").status_code == 404
    assert as_alice.post("/api/v1/books/99999999/reviews/", {"rating": "nonsense"}).status_code == 404
    assert anonymous.post("/api/v1/books/99999999/reviews/", {"rating": 4}).status_code == 401


def test_second_review_of_a_book_is_a_conflict(as_alice, as_bob, book):
    assert as_alice.post(REVIEWS, {"book": book.pk, "rating": 4}).status_code == 201
    problem(as_alice.post(REVIEWS, {"book": book.pk, "rating": 2}), 409, "already_reviewed")
    problem(as_alice.post(f"/api/v1/books/{book.pk}/reviews/", {"rating": 2}), 409, "already_reviewed")
    assert as_bob.post(REVIEWS, {"book": book.pk, "rating": 2}).status_code == 201
    assert Review.objects.count() == 2


def test_review_can_be_deleted_and_created_again(as_alice, book):
    first = as_alice.post(REVIEWS, {"book": book.pk, "rating": 4}).json()["id"]
    assert as_alice.delete(f"{REVIEWS}{first}/").status_code == 204
    assert as_alice.get(f"{REVIEWS}{first}/").status_code == 404
    assert as_alice.post(REVIEWS, {"book": book.pk, "rating": 2}).status_code == 201


def test_book_with_reviews_cannot_be_deleted(as_alice, as_bob, alice, add_book):
    book = as_alice.post("/api/v1/books/", {"title": "Mine", "author": "Me"}).json()["id"]
    review = as_bob.post(REVIEWS, {"book": book, "rating": 4}).json()["id"]
    problem(as_alice.delete(f"/api/v1/books/{book}/"), 409, "book_in_use")
    as_bob.delete(f"{REVIEWS}{review}/")
    assert as_alice.delete(f"/api/v1/books/{book}/").status_code == 204


def test_create_with_the_same_key_is_replayed(as_alice, book):
    sent = {"book": book.pk, "rating": 4}
    first, again = (as_alice.post(REVIEWS, sent, HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
