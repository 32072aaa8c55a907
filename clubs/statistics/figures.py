"""A club's figures, each defined in one place: what `GET clubs/{id}/stats/` answers.

They are made of the columns that writes keep beside each entry of the list (`clubs.reading.entry_counters`), so that
they cost as much as the list is long, however many readers, marks and reviews there are.
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
from zoneinfo import ZoneInfo

from django.utils import timezone

from catalog.models import Book
from catalog.ratings import average_of, histogram
from clubs.clubs.models import Club
from clubs.meetings.models import Meeting
from clubs.reading.entry_counters import NOTHING
from clubs.reading.models import Entry
from clubs.reading.rules import Status

FEWEST_RATINGS = 5
COLUMNS = (
    *("status", "position", "starts_on", "ends_on", "finished_at", *NOTHING),
    *("book__title", "book__author", "book__cover_url", "book__page_count"),
)
RECENTLY = datetime.timedelta(days=30)


@dataclass(frozen=True)
class DivisiveBook:
    """A book, how far its ratings lie apart (in stars) and how many there are."""

    book: Book
    standard_deviation: float
    ratings_count: int


@dataclass
class ClubFigures:
    """The figures of a club as it stands at one moment. A mean over nothing is None."""

    club: Club

    @property
    def books_finished(self) -> int:
        """Books of the list that the club has finished."""
        return len(self._finished)

    @property
    def pages_read(self) -> int:
        """Pages that the active members have read of the books on the list, by the marks they show.

        A mark in pages counts as it is; another is its share of the page count in the catalogue, and nothing where the
        catalogue does not know that.
        """
        pages = Decimal(0)
        for entry in self._entries:
            pages += entry.pages + entry.percents * (entry.book.page_count or 0) / 100
        return int(pages.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def mean_rating(self) -> Decimal | None:
        """The mean of the ratings in `rating_histogram`."""
        return average_of(self._stars)

    @property
    def rating_histogram(self) -> dict[str, int]:
        """The active members' public ratings of the books on the list."""
        return histogram(self._stars)

    @property
    def most_divisive_book(self) -> DivisiveBook | None:
        """The book of the list with the greatest standard deviation (of the population) of the active members' public
        ratings, if any has at least 5 of them; of equals the one with more, then the one that is higher on the list.
        """
        rated = [entry for entry in self._entries if sum(entry.stars.values()) >= FEWEST_RATINGS]
        if not rated:
            return None
        most = max(rated, key=lambda entry: (variance(entry.stars), sum(entry.stars.values()), -entry.position))
        return DivisiveBook(most.book, round(sqrt(variance(most.stars)), 2), sum(most.stars.values()))

    @property
    def members(self) -> int:
        """Active members, the owner included."""
        return self.club.members_count

    @property
    def active_members_30d(self) -> int:
        """Active members who in the last 30 days have set a mark here that they show, written a post here, answered a
        meeting of the club, or written a public review; not by what is hidden, deleted or removed by now. Votes are
        secret and do not count.
        """
        since = timezone.now() - RECENTLY
        return self.club.memberships.active().filter(last_active_at__gte=since).count()

    @property
    def meetings_held(self) -> int:
        """Meetings that were not cancelled and are over."""
        return self._meetings[0]

    @property
    def mean_attendance(self) -> float | None:
        """How many came to a meeting, on average over those held of which it was noted; two decimals."""
        return self._meetings[1]

    @property
    def finished_by_month(self) -> list[dict[str, Any]]:
        """How many books the club finished in each month of its own time zone in which it finished any."""
        days = (self._local_day(entry) for entry in self._finished)
        months = Counter(f"{day:%Y-%m}" for day in days if day)
        return [{"month": month, "count": count} for month, count in sorted(months.items())]

    @property
    def mean_days_per_book(self) -> float | None:
        """Days from the start of a finished book (`starts_on`) to its end (`ends_on`, else the day the club finished
        it), on average over those that have a start; two decimals.
        """
        spans = []
        for entry in self._finished:
            end = entry.ends_on or self._local_day(entry)
            if entry.starts_on and end and end >= entry.starts_on:
                spans.append((end - entry.starts_on).days)
        return round(sum(spans) / len(spans), 2) if spans else None

    @cached_property
    def _meetings(self) -> tuple[int, float | None]:
        return Meeting.objects.filter(club=self.club.pk).attendance()

    @cached_property
    def _entries(self) -> Sequence[Entry]:
        return list(Entry.objects.filter(club=self.club.pk).select_related("book").only(*COLUMNS))

    @cached_property
    def _finished(self) -> Sequence[Entry]:
        return [entry for entry in self._entries if entry.status == Status.FINISHED]

    @cached_property
    def _stars(self) -> dict[int, int]:
        """How many ratings of each number of half-stars there are on the whole list."""
        total: Counter[int] = Counter()
        for entry in self._entries:
            total.update(entry.stars)
        return total

    def _local_day(self, entry: Entry) -> datetime.date | None:
        """The day an entry was finished where the club is."""
        # Not in the database, which may lack the tables of time zones.
        return entry.finished_at and entry.finished_at.astimezone(ZoneInfo(self.club.timezone)).date()


def variance(stars: dict[int, int]) -> Fraction:
    """The variance, in stars, of ratings given as how many there are of each number of half-stars; exactly."""
    count = sum(stars.values())
    total = sum(half_stars * n for half_stars, n in stars.items())
    squares = sum(half_stars**2 * n for half_stars, n in stars.items())
    return Fraction(count * squares - total**2, 4 * count**2)
