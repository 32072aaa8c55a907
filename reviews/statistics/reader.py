"""A reader's own figures, each defined in one place: what `GET users/me/stats/` answers, to that reader alone.

They cost as much as the reader has read and written, however much there is beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Count

from accounts.models import User
from catalog.ratings import average_of, histogram
from clubs.members.models import Membership
from clubs.reading.models import Progress
from clubs.reading.rules import ALL, Unit
from reviews.models import Review


@dataclass
class ReaderFigures:
    """The figures of one reader. A mean over nothing is None."""

    user: User

    @property
    def books_finished_by_year(self) -> list[dict[str, int]]:
        """How many books the reader has marked as read to the end, in each year of their own time zone with any; a book
        that several clubs read counts once, in the first year, and a mark that is hidden counts nowhere.
        """
        zone = ZoneInfo(self.user.timezone)
        years: dict[int, int] = {}
        for mark in sorted(self._marks, key=lambda mark: mark.updated_at):
            if mark.percent == ALL:
                years.setdefault(mark.entry.book_id, mark.updated_at.astimezone(zone).year)
        return [{"year": year, "count": count} for year, count in sorted(Counter(years.values()).items())]

    @property
    def pages_read(self) -> int:
        """Pages by the reader's marks, hidden ones aside; of a book that several clubs read the farthest counts.

        A mark in pages counts as it is; another is its share of the page count in the catalogue, and nothing where the
        catalogue does not know that.
        """
        pages: dict[int, Decimal] = {}
        for mark in self._marks:
            known = mark.entry.book.page_count or 0
            read = mark.amount if mark.unit == Unit.PAGE else mark.percent * known / 100
            pages[mark.entry.book_id] = max(read, pages.get(mark.entry.book_id, Decimal(0)))
        return int(sum(pages.values(), Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def mean_rating(self) -> Decimal | None:
        """The mean of the ratings in `rating_histogram`; two decimals."""
        return average_of(self._stars)

    @property
    def rating_histogram(self) -> dict[str, int]:
        """All ratings the reader has given, whoever may see them."""
        return histogram(self._stars)

    @property
    def reviews(self) -> int:
        """All reviews the reader has written, whoever may see them, those with a rating alone among them."""
        return sum(self._ratings.values())

    @property
    def clubs(self) -> int:
        """Clubs the reader is in, private ones too."""
        return Membership.objects.active().filter(user=self.user).count()

    @cached_property
    def _marks(self) -> list[Progress]:
        marks = Progress.objects.filter(user=self.user, hidden=False).select_related("entry__book")
        return list(marks.only("percent", "unit", "amount", "updated_at", "entry__book_id", "entry__book__page_count"))

    @cached_property
    def _ratings(self) -> Mapping[int | None, int]:
        own = Review.objects.filter(author=self.user).order_by()
        return dict(own.values_list("rating").annotate(n=Count("pk")))

    @property
    def _stars(self) -> dict[int, int]:
        return {rating: n for rating, n in self._ratings.items() if rating is not None}
