"""Consistency checks of all stored counters, with the queries that recount them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count

from accounts.models import User
from catalog.models import Book
from catalog.ratings import HALF_STARS, average
from core.counters.consistency import CounterCheck, DenormalizationCheck, ExpectedValues, monthly_counter_check
from reviews.models import Like, Review


def expected_ratings(books: Sequence[int]) -> ExpectedValues:
    """Count the public ratings of these books."""
    rated = Review.objects.public().filter(book__in=books, rating__isnull=False)
    histograms: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for book, rating, n in rated.order_by().values_list("book", "rating").annotate(n=Count("pk")):
        histograms[book][rating] = n
    return {book: _statistics(histogram) for book, histogram in histograms.items()}


def expected_likes(reviews: Sequence[int]) -> ExpectedValues:
    """Count the likes of these reviews."""
    rows = Like.objects.filter(review__in=reviews).values_list("review").annotate(n=Count("pk"))
    return {review: {"likes_count": n} for review, n in rows}


def expected_review_counts(authors: Sequence[int]) -> ExpectedValues:
    """Count the public reviews of these users."""
    rows = Review.objects.public().filter(author__in=authors).order_by().values_list("author")
    return {author: {"reviews_count": n} for author, n in rows.annotate(n=Count("pk"))}


def _statistics(histogram: dict[int, int]) -> dict[str, Any]:
    count, half_stars = sum(histogram.values()), sum(rating * n for rating, n in histogram.items())
    stars = {f"stars_{rating}": n for rating, n in histogram.items()}
    return {
        "ratings_count": count,
        "ratings_sum": half_stars,
        "average_rating": average(count, half_stars),
        **stars,
    }


_NO_RATINGS = {"ratings_count": 0, "ratings_sum": 0, "average_rating": None} | {f"stars_{n}": 0 for n in HALF_STARS}


def expected_star_totals() -> dict[str, int]:
    """Count the public ratings by number of half-stars."""
    rated = Review.objects.public().filter(rating__isnull=False).order_by()
    return {f"stars_{rating}": n for rating, n in rated.values_list("rating").annotate(n=Count("pk"))}


# Counters stored in columns of the counted objects.
COLUMN_CHECKS = [
    DenormalizationCheck("ratings of books", Book, _NO_RATINGS, expected_ratings),
    DenormalizationCheck("likes of reviews", Review, {"likes_count": 0}, expected_likes),
    DenormalizationCheck("reviews of users", User, {"reviews_count": 0}, expected_review_counts),
]

# Platform-wide totals.
COUNTER_CHECKS = {
    "total of reviews": monthly_counter_check("reviews", "created_at", Review.objects.public),
    "total of ratings": CounterCheck(tuple(f"stars_{n}" for n in HALF_STARS), expected_star_totals),
}
