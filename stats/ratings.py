"""Ratings used by the statistics of clubs.

Public reviews count, and in private clubs also those that the author shares with clubs: all members may read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Count, F, OuterRef, Q, Subquery

from clubs.club.choices import Visibility
from clubs.roles import MembershipStatus
from reviews.choices import ReviewVisibility
from reviews.models import Review

# For queries that join the entries of the book.
_COUNTED = Q(audience=ReviewVisibility.PUBLIC) | Q(
    audience=ReviewVisibility.CLUBS, book__entries__club__visibility=Visibility.PRIVATE
)


def ratings_of_user(user_id: int, club_id: int) -> Iterable[tuple[int, int | None]]:
    """Return a user's ratings of the books on a club's list: entry id, half-stars."""
    rated = Review.objects.filter(_COUNTED, author=user_id, rating__isnull=False, book__entries__club=club_id)
    return rated.order_by().values_list("book__entries", "rating")


def ratings_of_entries(entries: Sequence[int]) -> Iterable[tuple[int, int | None, int]]:
    """Return the ratings of entries by active members of their clubs: entry id, half-stars, count."""
    rated = Review.objects.filter(
        _COUNTED,
        rating__isnull=False,
        book__entries__in=entries,
        author__memberships__club=F("book__entries__club"),
        author__memberships__status=MembershipStatus.ACTIVE,
    )
    return rated.order_by().values_list("book__entries", "rating").annotate(n=Count("pk"))


def last_reviewed_at() -> Subquery:
    """Return a subquery for memberships: when the member last wrote a public review."""
    reviews = Review.objects.public().filter(author=OuterRef("user"))
    return Subquery(reviews.order_by("-created_at").values("created_at")[:1])
