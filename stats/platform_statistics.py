"""Statistics of the platform, as returned by `GET stats/`.

They only read stored counters (`core.counters.counters`) and the first rows of an index, so their cost does not depend
on the amount of data. Private content and private clubs are not counted.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from django.utils import timezone

from catalog.models import Book
from catalog.querysets import BookQuerySet
from catalog.ratings import HALF_STARS, average_from_histogram, histogram
from core.counters import counters
from core.db.prepared import prepared

DEFAULT_MIN_RATINGS = 10
TOP = 10
# All possible mean ratings, best first.
POSSIBLE_MEANS = [Decimal(n) / 100 for n in range(500, 49, -1)]
STARS = {f"stars_{n}": n for n in HALF_STARS}
# The fields of a book that the serializers read.
COLUMNS = ("title", "author", "cover_url", "average_rating", "ratings_count", "clubs_finished")
TOTAL_NAMES = ("users", "clubs", "books", "reviews", "finished")


@dataclass
class PlatformStatistics:
    """Statistics of the platform at one moment. The mean of no values is None.

    `min_ratings` is the minimum number of ratings of a book in `top_rated_books`.
    """

    min_ratings: int = DEFAULT_MIN_RATINGS

    @property
    def users(self) -> int:
        """Number of active accounts."""
        return self._totals["users"]

    @property
    def clubs(self) -> int:
        """Number of public clubs."""
        return self._totals["clubs"]

    @property
    def books(self) -> int:
        """Number of books in the catalog."""
        return self._totals["books"]

    @property
    def reviews(self) -> int:
        """Number of public reviews, including those with only a rating."""
        return self._totals["reviews"]

    @property
    def mean_books_finished_per_club(self) -> float | None:
        """Mean number of books finished by a public club; two decimals."""
        if not self.clubs:
            return None
        return float((Decimal(self._totals["finished"]) / self.clubs).quantize(Decimal("0.01"), ROUND_HALF_UP))

    @property
    def mean_rating(self) -> Decimal | None:
        """Mean of the ratings in `rating_histogram`; two decimals."""
        return average_from_histogram(self._stars)

    @property
    def rating_histogram(self) -> dict[str, int]:
        """Ratings of all public reviews."""
        return histogram(self._stars)

    @property
    def top_rated_books(self) -> Sequence[Book]:
        """The ten books with the best mean rating and at least `min_ratings` ratings (default 10).

        Ties are ordered by number of ratings, then newest first.
        """
        return list(best_rated_books(self.min_ratings))

    @property
    def most_read_books(self) -> Sequence[Book]:
        """The ten books finished by the most public clubs (at least one). Ties are ordered newest first."""
        return list(most_read_books())

    @cached_property
    def as_of(self) -> datetime.datetime:
        """When the statistics were computed; they are still current."""
        return timezone.now()

    @cached_property
    def _totals(self) -> Mapping[str, int]:
        return counters.get_values([*TOTAL_NAMES, *STARS])

    @property
    def _stars(self) -> dict[int, int]:
        return {half_stars: self._totals[name] for name, half_stars in STARS.items()}


@prepared
def best_rated_books(min_ratings: int) -> BookQuerySet:
    """Return the ten books with the best mean among those with at least `min_ratings` ratings."""
    # The index has the most rated books of each mean first, so this reads ten rows even if many books with a good mean
    # have too few ratings.
    rated = Book.objects.filter(average_rating__in=POSSIBLE_MEANS, ratings_count__gte=min_ratings)
    return rated.order_by("-average_rating", "-ratings_count", "-id").only(*COLUMNS)[:TOP]


@prepared
def most_read_books() -> BookQuerySet:
    """Return the ten books finished by the most public clubs."""
    return Book.objects.filter(clubs_finished__gt=0).order_by("-clubs_finished", "-id").only(*COLUMNS)[:TOP]
