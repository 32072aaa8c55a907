"""The year in books of a club or a user. The number of queries does not depend on the number of books."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import sqrt
from zoneinfo import ZoneInfo

from accounts.models import User
from catalog.models import Book
from catalog.ratings import HALF_STARS, average_from_histogram
from clubs.club.models import Club
from clubs.reading.choices import EntryStatus
from clubs.reading.entry_counters import ZERO_COUNTERS
from clubs.reading.models import Entry
from meetings.models import Meeting
from meetings.querysets import MeetingQuerySet
from opinions.models import is_sealed
from readings.models import Reading
from reviews.models import Review
from stats.club_statistics import MIN_RATINGS, DivisiveBook, variance

FIRST_YEAR, LAST_YEAR = 1900, 2100
BOOK_COLUMNS = ("title", "author", "cover_url", "page_count")
STAR_COLUMNS = tuple(f"stars_{n}" for n in HALF_STARS)


@dataclass(frozen=True)
class FinishedBook:
    """A book with the day on which it was finished, and its ratings as numbers of half-stars."""

    book: Book
    finished_on: datetime.date
    stars: dict[int, int]
    # The ratings by which `most_divisive` is chosen.
    spread: dict[int, int]


@dataclass(frozen=True)
class RatedBook:
    """A book with the mean and the number of its ratings."""

    book: Book
    average_rating: Decimal | None
    ratings_count: int


class YearInBooks:
    """What both kinds of years have in common. A mean without values is None."""

    year: int

    @property
    def books(self) -> Sequence[FinishedBook]:
        """The books finished in the year, in the order of the days."""
        return self._finished

    @property
    def books_finished(self) -> int:
        """Number of these books. A club that finished a book twice in the year has it twice."""
        return len(self._finished)

    @property
    def pages(self) -> int:
        """Sum of the page counts of these books, where they are known."""
        return sum(row.book.page_count or 0 for row in self._finished)

    @property
    def pages_known_of(self) -> int:
        """Number of these books with a known page count."""
        return sum(1 for row in self._finished if row.book.page_count)

    @property
    def months(self) -> list[int]:
        """Number of books finished in each of the twelve months."""
        days = [row.finished_on.month for row in self._finished]
        return [days.count(month) for month in range(1, 13)]

    @property
    def meetings_held(self) -> int:
        """Number of meetings in the year that somebody attended; for a user, that they attended."""
        return self._attendance[0]

    @property
    def mean_attendance(self) -> float | None:
        """Mean attendance of these meetings; two decimals."""
        return self._attendance[1]

    @property
    def best_rated(self) -> RatedBook | None:
        """Book with the best mean rating: by the club's active members, or by the user.

        Ties go to the book with more ratings, then to the one finished first.
        """
        rated = [row for row in self._finished if sum(row.stars.values())]
        if not rated:
            return None
        best = max(rated, key=lambda row: (_mean(row.stars), sum(row.stars.values())))
        return RatedBook(best.book, average_from_histogram(best.stars), sum(best.stars.values()))

    @property
    def most_divisive(self) -> DivisiveBook | None:
        """Book with the largest standard deviation of at least 5 ratings: by the club's members, or for a user by all.

        Ties go to the book with more ratings, then to the one finished first.
        """
        rated = [row for row in self._finished if sum(row.spread.values()) >= MIN_RATINGS]
        if not rated:
            return None
        most = max(rated, key=lambda row: (variance(row.spread), sum(row.spread.values())))
        return DivisiveBook(most.book, round(sqrt(variance(most.spread)), 2), sum(most.spread.values()))

    @property
    def longest(self) -> Book | None:
        """Book with the most pages. Ties go to the one finished first."""
        books = [row.book for row in self._finished if row.book.page_count]
        return max(books, key=lambda book: book.page_count or 0, default=None)

    @property
    def _finished(self) -> Sequence[FinishedBook]:
        raise NotImplementedError

    @property
    def _meetings(self) -> MeetingQuerySet:
        raise NotImplementedError

    @property
    def _zone(self) -> ZoneInfo:
        raise NotImplementedError

    @cached_property
    def _attendance(self) -> tuple[int, float | None]:
        start, end = (datetime.datetime(year, 1, 1, tzinfo=self._zone) for year in (self.year, self.year + 1))
        return self._meetings.filter(starts_at__gte=start, starts_at__lt=end).attendance()

    def _days(self) -> tuple[datetime.date, datetime.date]:
        return datetime.date(self.year, 1, 1), datetime.date(self.year, 12, 31)


@dataclass
class ClubYear(YearInBooks):
    """A club's year in books, in its time zone."""

    club: Club
    year: int

    @cached_property
    def _finished(self) -> Sequence[FinishedBook]:
        finished = Entry.objects.filter(
            club=self.club.pk, status=EntryStatus.FINISHED, finished_on__range=self._days()
        ).order_by("finished_on", "pk")
        columns = ("finished_on", *ZERO_COUNTERS, *(f"book__{name}" for name in BOOK_COLUMNS))
        return [
            FinishedBook(entry.book, entry.finished_on, entry.visible_stars, entry.visible_stars)
            for entry in finished.select_related("book").only(*columns).annotate(is_sealed=is_sealed())
            if entry.finished_on
        ]

    @property
    def _meetings(self) -> MeetingQuerySet:
        return Meeting.objects.filter(club=self.club.pk)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.club.timezone)


@dataclass
class UserYear(YearInBooks):
    """A user's year in books, for that user only. A book read twice in the year counts once."""

    user: User
    year: int

    @cached_property
    def _finished(self) -> Sequence[FinishedBook]:
        readings = Reading.objects.filter(user=self.user, finished_on__range=self._days()).counted()
        columns = ("finished_on", *(f"book__{name}" for name in (*BOOK_COLUMNS, *STAR_COLUMNS)))
        rows = readings.select_related("book").only(*columns).order_by("finished_on", "pk")
        by_book: dict[int, Reading] = {}
        for row in rows:
            by_book.setdefault(row.book_id, row)
        own = Review.objects.filter(author=self.user, rating__isnull=False, book__in=by_book)
        ratings = dict(own.values_list("book", "rating"))
        return [
            FinishedBook(row.book, row.finished_on, _single(ratings.get(book)), row.book.stars)
            for book, row in by_book.items()
            if row.finished_on
        ]

    @property
    def _meetings(self) -> MeetingQuerySet:
        return Meeting.objects.filter(attendance__user=self.user)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.user.timezone)


def _mean(stars: dict[int, int]) -> Fraction:
    return Fraction(sum(half_stars * n for half_stars, n in stars.items()), sum(stars.values()))


def _single(rating: int | None) -> dict[int, int]:
    return {} if rating is None else {rating: 1}
