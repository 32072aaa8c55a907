"""Counters of books: `clubs_reading` and `clubs_finished` of Book, and the total of finished books.

They are updated in the transaction of the change they count, while the club is locked. Private clubs do not count.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, Value, When

from catalog.models import Book
from catalog.versions import invalidate_books
from clubs.reading.choices import EntryStatus
from core.counters import counters

COLUMNS = {EntryStatus.READING: "clubs_reading", EntryStatus.FINISHED: "clubs_finished"}


def update_counts(book_id: int, before: str | None, after: str | None) -> None:
    """Count a status change of one entry. None means not on the list, or not counted."""
    if before == after:
        return
    steps = {column: F(column) + 1 for status, column in COLUMNS.items() if status == after}
    steps |= {column: F(column) - 1 for status, column in COLUMNS.items() if status == before}
    if steps:
        Book.objects.filter(pk=book_id).update(**steps)
        invalidate_books([book_id])


def update_counts_for_club(statuses: set[tuple[int, str]], sign: int) -> None:
    """Add (`sign` 1) or subtract (-1) a club's entries, given as book id and status.

    One statement updates all books in the order of their ids, so that concurrent changes do not deadlock.
    """
    steps: dict[str, Any] = {}
    for status, column in COLUMNS.items():
        books = sorted(book for book, now in statuses if now == status)
        if books:
            steps[column] = F(column) + Case(When(pk__in=books, then=Value(sign)), default=Value(0))
    counted = sorted({book for book, now in statuses if now in COLUMNS})
    if steps:
        Book.objects.filter(pk__in=counted).update(**steps)
        invalidate_books(counted)


def count_finished(days: Iterable[datetime.date | None], sign: int) -> None:
    """Add (1) or subtract (-1) finished books, given as the days on which they were finished; None is ignored."""
    steps: Counter[str] = Counter()
    for day in days:
        if day is not None:
            steps.update({"finished": sign, counters.monthly_key_for_date("finished", day): sign})
    counters.increment(steps)
