"""Statistics of a user, as returned by `GET users/me/stats/` to that user only.

Their cost depends only on how much the user has read and written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from django.db.models import Count

from accounts.models import User
from catalog.ratings import average_from_histogram, histogram
from clubs.members.models import Membership
from clubs.reading.choices import Unit
from clubs.reading.models import Progress
from readings.models import Reading
from reviews.models import Review


@dataclass
class UserStatistics:
    """Statistics of one user. The mean of no values is None."""

    user: User

    @property
    def books_finished_by_year(self) -> list[dict[str, int]]:
        """Number of books finished per year, by the day in the user's time zone; years without any are omitted.

        All finished readings count, from clubs, imports or entered by the user. A book read in several clubs counts
        once a year. Hidden progress does not count.
        """
        finished = Reading.objects.filter(user=self.user).counted().values_list("finished_on", "book")
        books = {(finished_on.year, book) for finished_on, book in finished if finished_on}
        years = Counter(year for year, _book in books)
        return [{"year": year, "count": count} for year, count in sorted(years.items())]

    @property
    def pages_read(self) -> int:
        """Number of pages read, without hidden progress.

        A book read in several clubs counts once, with the furthest progress. Progress in other units is converted with
        the page count in the catalog, and is ignored if that is unknown.
        """
        pages: dict[int, Decimal] = {}
        for progress in self._progress:
            total = progress.entry.book.page_count or 0
            read = progress.amount if progress.unit == Unit.PAGE else progress.percent * total / 100
            pages[progress.entry.book_id] = max(read, pages.get(progress.entry.book_id, Decimal(0)))
        return int(sum(pages.values(), Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def mean_rating(self) -> Decimal | None:
        """Mean of the ratings in `rating_histogram`; two decimals."""
        return average_from_histogram(self._stars)

    @property
    def rating_histogram(self) -> dict[str, int]:
        """All ratings by the user, regardless of visibility."""
        return histogram(self._stars)

    @property
    def reviews(self) -> int:
        """Number of reviews by the user, regardless of visibility, including those with only a rating."""
        return sum(self._ratings.values())

    @property
    def clubs(self) -> int:
        """Number of clubs of the user, including private ones."""
        return Membership.objects.active().filter(user=self.user).count()

    @cached_property
    def _progress(self) -> list[Progress]:
        rows = Progress.objects.filter(user=self.user, hidden=False).select_related("entry__book")
        return list(rows.only("percent", "unit", "amount", "entry__book_id", "entry__book__page_count"))

    @cached_property
    def _ratings(self) -> Mapping[int | None, int]:
        own = Review.objects.filter(author=self.user).order_by()
        return dict(own.values_list("rating").annotate(n=Count("pk")))

    @property
    def _stars(self) -> dict[int, int]:
        return {rating: n for rating, n in self._ratings.items() if rating is not None}
