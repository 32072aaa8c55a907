"""Statistics of a club, as `GET clubs/{id}/stats/` returns them.

They are computed from the counters stored on each reading list entry (`clubs.reading.entry_counters`), so that their
cost depends only on the length of the list.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from math import sqrt
from typing import Any

from django.utils import timezone

from catalog.models import Book
from catalog.ratings import average_from_histogram, histogram
from clubs.club.models import Club
from clubs.reading.choices import EntryStatus
from clubs.reading.entry_counters import ZERO_COUNTERS
from clubs.reading.models import Entry
from meetings.models import Meeting
from opinions.models import is_sealed

MIN_RATINGS = 5
COLUMNS = (
    *("status", "position", "starts_on", "ends_on", "finished_on", *ZERO_COUNTERS),
    *("book__title", "book__author", "book__cover_url", "book__page_count"),
)
ACTIVE_WINDOW = datetime.timedelta(days=30)


@dataclass(frozen=True)
class DivisiveBook:
    """A book with the standard deviation of its ratings (in stars) and their number."""

    book: Book
    standard_deviation: float
    ratings_count: int


@dataclass
class ClubStatistics:
    """Statistics of a club. A mean without values is None."""

    club: Club

    @property
    def books_finished(self) -> int:
        """Number of finished books on the list."""
        return len(self._finished)

    @property
    def pages_read(self) -> int:
        """Pages read by the active members, according to their visible progress.

        Progress in pages counts as it is. Other progress counts as a share of the catalog's page count, or 0 if that is
        unknown.
        """
        pages = Decimal(0)
        for entry in self._entries:
            pages += entry.pages + entry.percents * (entry.book.page_count or 0) / 100
        return int(pages.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def mean_rating(self) -> Decimal | None:
        """Mean of the ratings in `rating_histogram`."""
        return average_from_histogram(self._histogram)

    @property
    def rating_histogram(self) -> dict[str, int]:
        """Active members' ratings of the books on the list.

        Public ratings count, and in a private club also those that their authors share with clubs. Ratings of books on
        which the members' opinions are sealed do not count.
        """
        return histogram(self._histogram)

    @property
    def most_divisive_book(self) -> DivisiveBook | None:
        """Book with the largest population standard deviation of the ratings in `rating_histogram`.

        Only books with at least 5 ratings count. Ties go to the book with more ratings, then to the lower position.
        """
        rated = [entry for entry in self._rated if sum(entry.stars.values()) >= MIN_RATINGS]
        if not rated:
            return None
        most = max(rated, key=lambda entry: (variance(entry.stars), sum(entry.stars.values()), -entry.position))
        return DivisiveBook(most.book, round(sqrt(variance(most.stars)), 2), sum(most.stars.values()))

    @property
    def members(self) -> int:
        """Number of active members, including the owner."""
        return self.club.members_count

    @property
    def active_members_30d(self) -> int:
        """Active members with visible activity in the last 30 days; see `clubs.members.activity`.

        Votes do not count, because they are secret.
        """
        since = timezone.now() - ACTIVE_WINDOW
        return self.club.memberships.active().filter(last_active_at__gte=since).count()

    @property
    def meetings_held(self) -> int:
        """Number of past meetings whose recorded attendance is above 0."""
        return self._meetings[0]

    @property
    def mean_attendance(self) -> float | None:
        """Mean attendance of past meetings with recorded attendance; two decimals."""
        return self._meetings[1]

    @property
    def finished_by_month(self) -> list[dict[str, Any]]:
        """Number of books finished per month, without empty months."""
        months = Counter(f"{entry.finished_on:%Y-%m}" for entry in self._finished if entry.finished_on)
        return [{"month": month, "count": count} for month, count in sorted(months.items())]

    @property
    def mean_days_per_book(self) -> float | None:
        """Mean number of days from `starts_on` to `ends_on`, or else to the day the book was finished; two decimals.

        Finished books without a start date do not count.
        """
        durations = []
        for entry in self._finished:
            end = entry.ends_on or entry.finished_on
            if entry.starts_on and end and end >= entry.starts_on:
                durations.append((end - entry.starts_on).days)
        return round(sum(durations) / len(durations), 2) if durations else None

    @cached_property
    def _meetings(self) -> tuple[int, float | None]:
        return Meeting.objects.filter(club=self.club.pk).attendance()

    @cached_property
    def _entries(self) -> Sequence[Entry]:
        entries = Entry.objects.filter(club=self.club.pk).select_related("book").only(*COLUMNS)
        return list(entries.annotate(is_sealed=is_sealed()))

    @cached_property
    def _rated(self) -> Sequence[Entry]:
        """One entry of each book, whose ratings all its entries have, without books on which opinions are sealed."""
        entries = {entry.book_id: entry for entry in self._entries if not entry.is_sealed}  # type: ignore[attr-defined]
        return list(entries.values())

    @cached_property
    def _finished(self) -> Sequence[Entry]:
        return [entry for entry in self._entries if entry.status == EntryStatus.FINISHED]

    @cached_property
    def _histogram(self) -> dict[int, int]:
        """Number of ratings per number of half-stars, over the whole list."""
        total: Counter[int] = Counter()
        for entry in self._rated:
            total.update(entry.stars)
        return total


def variance(stars: dict[int, int]) -> Fraction:
    """Return the exact variance, in stars, of ratings given as counts per number of half-stars."""
    count = sum(stars.values())
    total = sum(half_stars * n for half_stars, n in stars.items())
    sum_of_squares = sum(half_stars**2 * n for half_stars, n in stars.items())
    return Fraction(count * sum_of_squares - total**2, 4 * count**2)
