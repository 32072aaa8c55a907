"""How many public clubs are reading a book and how many have finished it: `clubs_reading`, `clubs_finished` of Book;
and the total `finished` of all their finished books.

Moved by arithmetic in the database, in the transaction of what they count, by those who hold the club's row. A private
club counts nowhere.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, Value, When

from bookbridge.api import counters
from catalog.models import Book, touched
from clubs.reading.rules import Status

COLUMNS = {Status.READING: "clubs_reading", Status.FINISHED: "clubs_finished"}


def move(book_id: int, before: str | None, after: str | None) -> None:
    """Count one entry that went from one status to another; None is not being on the list, or not being counted."""
    if before == after:
        return
    steps = {column: F(column) + 1 for status, column in COLUMNS.items() if status == after}
    steps |= {column: F(column) - 1 for status, column in COLUMNS.items() if status == before}
    if steps:
        Book.objects.filter(pk=book_id).update(**steps)
        touched([book_id])


def count_all(statuses: dict[int, str], sign: int) -> None:
    """Count (`sign` 1) or stop counting (-1) a club's entries, given as the status of each book.

    One statement over the books in the order of their ids, so that two clubs' changes do not lock them crosswise.
    """
    steps: dict[str, Any] = {}
    for status, column in COLUMNS.items():
        books = sorted(book for book, now in statuses.items() if now == status)
        if books:
            steps[column] = F(column) + Case(When(pk__in=books, then=Value(sign)), default=Value(0))
    counted = sorted(book for book, now in statuses.items() if now in COLUMNS)
    if steps:
        Book.objects.filter(pk__in=counted).update(**steps)
        touched(counted)


def count_finished(moments: Iterable[datetime.datetime | None], sign: int) -> None:
    """Count (1) or stop counting (-1) books that clubs have finished, given by when; None is not finished."""
    steps: Counter[str] = Counter()
    for at in moments:
        if at is not None:
            steps.update({"finished": sign, counters.month("finished", at): sign})
    counters.add(steps)
