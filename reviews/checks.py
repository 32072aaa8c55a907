"""Consistency checks of all stored counters, with the queries that recount them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Count, QuerySet

from accounts.models import User
from bookbridge.api import counters
from bookbridge.api.counters import Recount
from bookbridge.api.verification import Check, Counted
from catalog.models import Book
from catalog.ratings import HALF_STARS, average
from clubs.discussions.models import NO_POSTS
from clubs.meetings.answers import COUNTS
from clubs.members import services as members
from clubs.models import Club, Entry, Meeting, Membership, Post, Rsvp, Thread, Visibility
from clubs.reading.rules import Status
from clubs.statistics import services as clubs
from clubs.statistics.models import NOTHING
from reviews.likes import Like
from reviews.models import Review


def ratings(books: Sequence[int]) -> Counted:
    """Count the public ratings of these books."""
    rated = Review.objects.public().filter(book__in=books, rating__isnull=False)
    histograms: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for book, rating, n in rated.order_by().values_list("book", "rating").annotate(n=Count("pk")):
        histograms[book][rating] = n
    return {book: _statistics(histogram) for book, histogram in histograms.items()}


def likes(reviews: Sequence[int]) -> Counted:
    """Count the likes of these reviews."""
    found = Like.objects.filter(review__in=reviews).values_list("review").annotate(n=Count("pk"))
    return {review: {"likes_count": n} for review, n in found}


def reviews_of(authors: Sequence[int]) -> Counted:
    """Count the public reviews of these users."""
    found = Review.objects.public().filter(author__in=authors).order_by().values_list("author")
    return {author: {"reviews_count": n} for author, n in found.annotate(n=Count("pk"))}


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


def entries(listed: Sequence[int]) -> Counted:
    """Count the progress and ratings of these entries."""
    return clubs.recount(listed)


def stars() -> dict[str, int]:
    """Count the public ratings by number of half-stars."""
    rated = Review.objects.public().filter(rating__isnull=False).order_by()
    return {f"stars_{rating}": n for rating, n in rated.values_list("rating").annotate(n=Count("pk"))}


def months(name: str, field: str, rows: Callable[[], QuerySet[Any]]) -> Recount:
    """Return the recount of a total, including its monthly totals by a date field."""
    return Recount((name,), lambda: counters.counted(name, rows(), field))


def _finished() -> QuerySet[Entry]:
    return Entry.objects.filter(club__visibility=Visibility.PUBLIC, status=Status.FINISHED, finished_at__isnull=False)


# Counters in columns.
CHECKS = [
    Check("ratings of books", Book, _NO_RATINGS, ratings),
    Check("clubs of books", Book, {"clubs_reading": 0, "clubs_finished": 0}, Entry.objects.count_by_book),
    Check("likes of reviews", Review, {"likes_count": 0}, likes),
    Check("reviews of users", User, {"reviews_count": 0}, reviews_of),
    Check("members of clubs", Club, {"members_count": 0}, Membership.objects.count_by_club),
    Check("activity of members", Membership, {"last_active_at": None}, members.count),
    Check("RSVPs of meetings", Meeting, dict.fromkeys(COUNTS, 0), Rsvp.objects.count_by_meeting),
    Check("statistics of list entries", Entry, NOTHING, entries),
    Check("posts of threads", Thread, NO_POSTS, Post.objects.count_by_thread),
]

# Counters of the whole platform.
TOTALS = {
    "total of users": months("users", "joined_at", lambda: User.objects.filter(is_active=True)),
    "total of clubs": months("clubs", "created_at", Club.objects.public),
    "total of books": Recount(("books",), lambda: {"books": Book.objects.standing().count()}),
    "total of reviews": months("reviews", "created_at", Review.objects.public),
    "total of ratings": Recount(tuple(f"stars_{n}" for n in HALF_STARS), stars),
    "total of finished books": months("finished", "finished_at", _finished),
}
