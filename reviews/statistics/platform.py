"""The platform's figures, each defined in one place: what `GET stats/` answers.

They are sums of totals that writes keep (`bookbridge.api.counters`) and the first rows of an index, so that they cost
the same however much there is. Nothing private is counted, and no private club.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from django.utils import timezone

from bookbridge.api import counters
from catalog.models import Book
from catalog.ratings import HALF_STARS, average_of, histogram

TOP = 10
# Every mean a book can have, the best first.
MEANS = [Decimal(n) / 100 for n in range(500, 49, -1)]
STARS = {f"stars_{n}": n for n in HALF_STARS}
WORDS = ("users", "clubs", "books", "reviews", "finished")


@dataclass
class PlatformFigures:
    """The figures of the platform as it stands at one moment. A mean over nothing is None.

    `min_ratings` is how many ratings a book needs to be among `top_rated_books`.
    """

    min_ratings: int = 10

    @property
    def users(self) -> int:
        """Open accounts."""
        return self._totals["users"]

    @property
    def clubs(self) -> int:
        """Public clubs."""
        return self._totals["clubs"]

    @property
    def books(self) -> int:
        """Books in the catalogue."""
        return self._totals["books"]

    @property
    def reviews(self) -> int:
        """Public reviews, those with a rating alone among them."""
        return self._totals["reviews"]

    @property
    def mean_books_finished_per_club(self) -> float | None:
        """How many books a public club has finished on average, over all public clubs; two decimals."""
        if not self.clubs:
            return None
        return float((Decimal(self._totals["finished"]) / self.clubs).quantize(Decimal("0.01"), ROUND_HALF_UP))

    @property
    def mean_rating(self) -> Decimal | None:
        """The mean of the ratings in `rating_histogram`; two decimals."""
        return average_of(self._stars)

    @property
    def rating_histogram(self) -> dict[str, int]:
        """The ratings of all public reviews."""
        return histogram(self._stars)

    @property
    def top_rated_books(self) -> Sequence[Book]:
        """The ten books with the best mean rating among those with at least `min_ratings` ratings (10 where the
        parameter is not given); of equals the one with more ratings, then the newer one.
        """
        # Of each mean the index has the books with most ratings first, so this reads ten rows, however many books
        # have too few ratings for their good mean.
        rated = Book.objects.filter(average_rating__in=MEANS, ratings_count__gte=self.min_ratings)
        return shown(rated.order_by("-average_rating", "-ratings_count", "-id"))

    @property
    def most_read_books(self) -> Sequence[Book]:
        """The ten books that most public clubs have finished, if any has; of equals the newer one."""
        return shown(Book.objects.filter(clubs_finished__gt=0).order_by("-clubs_finished", "-id"))

    @cached_property
    def as_of(self) -> datetime.datetime:
        """When the figures were put together; they are still right."""
        return timezone.now()

    @cached_property
    def _totals(self) -> Mapping[str, int]:
        return counters.read([*WORDS, *STARS])

    @property
    def _stars(self) -> dict[int, int]:
        return {half_stars: self._totals[name] for name, half_stars in STARS.items()}


def shown(books: object) -> Sequence[Book]:
    """The first ten, with what an answer shows of them."""
    columns = ("title", "author", "cover_url", "average_rating", "ratings_count", "clubs_finished")
    return list(books.only(*columns)[:TOP])  # type: ignore[attr-defined]
