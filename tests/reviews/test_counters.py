"""Counters of books and users are correct immediately after every change of a review."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import User
from catalog.models import Book
from catalog.ratings import average
from clubs.models import Club, Entry
from reviews import counters as counting
from reviews.models import Like, Review
from tests.reviews.helpers import REVIEWS, book_statistics, counter_differences, delete_account

pytestmark = pytest.mark.django_db


def reviews_count(client, name):
    return client.get(f"/api/v1/users/{name}/").json()["reviews_count"]


@pytest.fixture
def rated(alice, bob, charlie, book):
    """Ratings of Emma: 4, 3.5 and 3.5 stars by Alice, Bob and Charlie."""
    return [Review.create_review(book=book, by=user, rating=n) for user, n in ((alice, 8), (bob, 7), (charlie, 7))]


def test_mean_without_ratings_is_null(anonymous, as_alice, book):
    assert book_statistics(anonymous, book) == (None, 0, {})
    as_alice.post(REVIEWS, {"book": book.pk, "body": "No rating."})
    assert book_statistics(anonymous, book) == (None, 0, {})
    assert reviews_count(as_alice, "alice") == 1


def test_every_change_updates_the_counters(as_alice, as_bob, anonymous, book):
    mine = as_alice.post(REVIEWS, {"book": book.pk, "rating": 5}).json()["id"]
    assert book_statistics(anonymous, book) == (5.0, 1, {"5.0": 1})
    as_bob.post(REVIEWS, {"book": book.pk, "rating": 0.5})
    assert book_statistics(anonymous, book) == (2.75, 2, {"0.5": 1, "5.0": 1})
    as_alice.patch(f"{REVIEWS}{mine}/", {"rating": 1.5})
    assert book_statistics(anonymous, book) == (1.0, 2, {"0.5": 1, "1.5": 1})
    as_alice.patch(f"{REVIEWS}{mine}/", {"rating": None, "body": "I would rather not say."})
    assert book_statistics(anonymous, book) == (0.5, 1, {"0.5": 1})
    as_alice.delete(f"{REVIEWS}{mine}/")
    assert book_statistics(anonymous, book) == (0.5, 1, {"0.5": 1})
    assert (reviews_count(as_bob, "alice"), reviews_count(as_bob, "bob")) == (0, 1)


@pytest.mark.parametrize("visibility", ["clubs", "private"])
def test_only_public_reviews_count(as_alice, anonymous, rated, book, visibility):
    url = f"{REVIEWS}{rated[0].pk}/"
    as_alice.patch(url, {"visibility": visibility})
    assert book_statistics(anonymous, book) == (3.5, 2, {"3.5": 2})
    assert reviews_count(as_alice, "alice") == 0
    as_alice.patch(url, {"visibility": "public", "rating": 5})
    assert book_statistics(anonymous, book) == (4.0, 3, {"3.5": 2, "5.0": 1})
    assert reviews_count(as_alice, "alice") == 1


def test_hidden_review_counts_again_when_restored(as_alice, anonymous, rated, book):
    for _ in range(2):
        rated[0].hide()
        assert book_statistics(anonymous, book) == (3.5, 2, {"3.5": 2})
        assert reviews_count(as_alice, "alice") == 0
    as_alice.patch(f"{REVIEWS}{rated[0].pk}/", {"rating": 1})
    assert book_statistics(anonymous, book) == (3.5, 2, {"3.5": 2})
    for _ in range(2):
        rated[0].restore()
        assert book_statistics(anonymous, book) == (2.67, 3, {"1.0": 1, "3.5": 2})
        assert reviews_count(as_alice, "alice") == 1


def test_deleting_a_hidden_review_keeps_the_counters(as_alice, anonymous, rated, book):
    rated[0].hide()
    assert as_alice.delete(f"{REVIEWS}{rated[0].pk}/").status_code == 204
    assert book_statistics(anonymous, book) == (3.5, 2, {"3.5": 2})


@pytest.fixture
def account(alice, bob, rated, add_book):
    """Alice's account, with reviews of every visibility and likes in both directions."""
    for n, visibility in enumerate(["public", "clubs", "private", "public"]):
        review = Review.create_review(book=add_book(f"Book {n}"), by=alice, rating=n + 1, visibility=visibility)
    review.hide()
    rated[1].like(by=alice)
    rated[0].like(by=alice)
    rated[0].like(by=bob)
    return alice


def test_anonymized_account_keeps_its_public_ratings(as_bob, anonymous, account, rated, book):
    delete_account(account, anonymize=True)
    assert book_statistics(anonymous, book) == (3.67, 3, {"3.5": 2, "4.0": 1})
    remaining = Review.objects.filter(author=None)
    # Club and private reviews are deleted, because nobody could read them.
    assert {review.visibility for review in remaining} == {"public"}
    assert remaining.count() == 3
    assert remaining.exclude(hidden_at=None).count() == 1
    assert as_bob.get(f"{REVIEWS}{rated[0].pk}/").json()["author"]["display_name"] == "Deleted reader"
    assert {pk: n for pk, n in Review.objects.values_list("pk", "likes_count") if n} == {rated[0].pk: 1}
    assert counter_differences() == (0, [])


def test_account_deletion_can_delete_reviews(anonymous, account, rated, book):
    delete_account(account, anonymize=False)
    assert book_statistics(anonymous, book) == (3.5, 2, {"3.5": 2})
    assert not Like.objects.exists()
    assert Review.objects.count() == 2
    assert counter_differences() == (0, [])


def test_book_can_have_reviews_of_two_deleted_users(alice, bob, rated, anonymous, book):
    for user in (alice, bob):
        delete_account(user, anonymize=True)
    assert book_statistics(anonymous, book) == (3.67, 3, {"3.5": 2, "4.0": 1})
    assert [row["author"]["id"] for row in anonymous.get(REVIEWS).json()["results"]][1:] == [None, None]


def test_bulk_create_updates_counters(alice, bob, anonymous, add_book):
    books = [add_book(f"Book {n}") for n in range(20)]
    reviews = [
        Review(book=book, author=user, rating=n % 10 + 1, visibility="public" if n % 3 else "private")
        for n, book in enumerate(books)
        for user in (alice, bob)
    ]
    assert Review.objects.bulk_create_reviews(reviews) == 40
    assert book_statistics(anonymous, books[1]) == (1.0, 2, {"1.0": 2})
    assert counter_differences() == (0, [])


def test_bulk_create_is_atomic(alice, bob, book, add_book, anonymous):
    Review.create_review(book=book, by=alice, rating=8)
    other = add_book("Other")
    rows = [Review(book=other, author=bob, rating=2), Review(book=book, author=alice, rating=2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.bulk_create_reviews(rows)
    assert book_statistics(anonymous, other) == (None, 0, {})
    assert book_statistics(anonymous, book) == (4.0, 1, {"4.0": 1})


@pytest.mark.parametrize(
    ("count", "half_stars", "mean"),
    [(0, 0, None), (1, 1, "0.50"), (3, 22, "3.67"), (4, 33, "4.13"), (8, 33, "2.06"), (200, 801, "2.00")]
    + [(200, 1601, "4.00"), (40_000, 160_199, "2.00"), (40_000, 160_200, "2.00"), (4_000_000, 39_999_999, "5.00")],
)
def test_mean_is_rounded_half_up_on_all_databases(book, count, half_stars, mean):
    assert average(count, half_stars) == (mean and Decimal(mean))
    Book.objects.update(ratings_count=count, ratings_sum=half_stars)
    Book.objects.update(average_rating=counting.rounded_mean(F("ratings_count"), F("ratings_sum")))
    assert Book.objects.get().average_rating == (mean and Decimal(mean))


@pytest.mark.parametrize("wrong", ["ratings", "user", "likes", "members", "clubs"])
def test_verify_counters_finds_and_repairs_errors(anonymous, as_bob, alice, rated, book, wrong):
    club = Club.create_club(by=alice, name="Night readers")
    Entry.add_entry(club=club, book=book, by=alice, status="reading")
    rated[0].like(by=alice)
    assert counter_differences("--batch-size", "1") == (0, [])
    expected, likes = book_statistics(anonymous, book), rated[0].likes_count
    damage = {
        "ratings": lambda: Book.objects.update(stars_7=5, average_rating=1),
        "user": lambda: User.objects.filter(pk=alice.pk).update(reviews_count=7),
        "likes": lambda: Review.objects.filter(pk=rated[0].pk).update(likes_count=0),
        "members": lambda: Club.objects.update(members_count=2),
        "clubs": lambda: Book.objects.update(clubs_reading=0, clubs_finished=1),
    }
    lines = {
        "ratings": [
            f"catalog.book {book.pk} average_rating: 1.00, should be 3.67",
            f"catalog.book {book.pk} stars_7: 5, should be 2",
        ],
        "user": [f"accounts.user {alice.pk} reviews_count: 7, should be 1"],
        "likes": [f"reviews.review {rated[0].pk} likes_count: 0, should be 1"],
        "members": [f"clubs.club {club.pk} members_count: 2, should be 1"],
        "clubs": [
            f"catalog.book {book.pk} clubs_reading: 0, should be 1",
            f"catalog.book {book.pk} clubs_finished: 1, should be 0",
        ],
    }
    damage[wrong]()
    assert counter_differences() == (1, lines[wrong])
    assert counter_differences("--repair", "--batch-size", "1") == (0, lines[wrong])
    assert counter_differences() == (0, [])
    assert book_statistics(anonymous, book) == expected
    assert as_bob.get(f"{REVIEWS}{rated[0].pk}/").json()["likes_count"] == likes == 1
