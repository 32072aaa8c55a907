"""What clubs' figures ask of reviews (`clubs.statistics.services`). Public ratings and reviews alone count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Count, F, OuterRef, Subquery

from clubs.roles import Status
from reviews.models import Review


def of_reader(user: int, club: int) -> Iterable[tuple[int, int | None]]:
    """A reader's ratings of the books on a club's list: entry, half-stars."""
    rated = Review.objects.public().filter(author=user, rating__isnull=False, book__entries__club=club)
    return rated.order_by().values_list("book__entries", "rating")


def of_entries(entries: Sequence[int]) -> Iterable[tuple[int, int | None, int]]:
    """The ratings of entries by their clubs' active members: entry, half-stars, how many."""
    rated = Review.objects.public().filter(
        rating__isnull=False,
        book__entries__in=entries,
        author__memberships__club=F("book__entries__club"),
        author__memberships__status=Status.ACTIVE,
    )
    return rated.order_by().values_list("book__entries", "rating").annotate(n=Count("pk"))


def last_written() -> Subquery:
    """In a query of memberships: when the reader last wrote a public review."""
    written = Review.objects.public().filter(author=OuterRef("user"))
    return Subquery(written.order_by("-created_at").values("created_at")[:1])
