"""The reviews and readings of a user as CSV (`reviews.csv_layout`)."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import IO, Any

from django.db.models import F, Prefetch

from accounts.models import User
from catalog.models import Book, Edition
from core.db.locking import batched
from readings.models import Reading, ReadingState
from reviews import csv_layout
from reviews.models import Review

# Books per query, and bytes buffered in memory before a temporary file is used.
BATCH_SIZE, SPOOL_BYTES = 500, 1_000_000


def build_csv(user: User) -> IO[bytes]:
    """Return the export as an open file, which is complete before the first byte is sent."""
    file = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  closed with the response
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    header = (*csv_layout.GOODREADS_COLUMNS, *csv_layout.OWN_COLUMNS)
    writer.writerow(header)
    for row in _rows(user):
        writer.writerow([csv_layout.guard(str(row.get(column, ""))) for column in header])
    text.detach()
    file.seek(0)
    return file


def _rows(user: User) -> Iterator[dict[str, Any]]:
    """Yield a row for each book that the user has reviewed or read, in batches."""
    reviewed = Review.objects.filter(author=user).values_list("book", flat=True)
    read = Reading.objects.filter(user=user).values_list("book", flat=True)
    main = Edition.objects.filter(isbn13=F("book__isbn13"))
    for batch in batched(sorted({*reviewed, *read}), BATCH_SIZE):
        books = Book.objects.filter(pk__in=batch).defer("search_text", "description").order_by("pk")
        reviews = {review.book_id: review for review in Review.objects.filter(author=user, book__in=batch)}
        readings: defaultdict[int, list[Reading]] = defaultdict(list)
        for reading in Reading.objects.filter(user=user, book__in=batch).order_by("pk"):
            readings[reading.book_id].append(reading)
        for book in books.prefetch_related("author_rows", Prefetch("editions", main)):
            yield _book_columns(book) | _review_columns(reviews.get(book.pk)) | _reading_columns(readings[book.pk])


def _book_columns(book: Book) -> dict[str, Any]:
    first, *others = book.authors or [book.author]
    edition = next(iter(book.editions.all()), None)
    return {
        "Book Id": book.pk,
        "Title": book.title,
        "Author": first,
        "Additional Authors": "; ".join(others),
        "ISBN13": book.isbn13 or "",
        "My Rating": 0,
        "Publisher": edition.publisher if edition else "",
        "Binding": edition.format if edition else "",
        "Number of Pages": book.page_count or "",
        "Year Published": _or_empty(edition.published_year if edition else None),
        "Original Publication Year": _or_empty(book.published_year),
    }


def _review_columns(review: Review | None) -> dict[str, Any]:
    if review is None:
        return {}
    at = review.created_at
    return {
        "My Rating": f"{review.stars or 0:g}",
        "Date Added": f"{at:%Y/%m/%d}" if at else "",
        "My Review": csv_layout.to_html(review.body),
        "Spoiler": "true" if review.contains_spoilers else "",
        "Review Title": review.title,
        "Review Language": review.language,
        "Visibility": review.visibility,
        "Reviewed At": at.isoformat() if at else csv_layout.UNKNOWN_TIME,
    }


def _reading_columns(readings: Sequence[Reading]) -> dict[str, Any]:
    """Return the columns of the readings, oldest first; the shelf is that of the one in progress, or of the last."""
    by_day = sorted(readings, key=_by_day)
    finished = [reading for reading in by_day if reading.is_finished]
    last = finished[-1].finished_on if finished else None
    return {
        "Date Read": f"{last:%Y/%m/%d}" if last else "",
        "Exclusive Shelf": csv_layout.shelf(by_day),
        "Read Count": len(finished),
        "Readings": csv_layout.format_readings(by_day),
    }


def _or_empty(number: int | None) -> Any:
    return "" if number is None else number


def _by_day(reading: Reading) -> tuple[bool, str, int]:
    return reading.state == ReadingState.READING, str(reading.finished_on or ""), reading.pk
