"""Processes the rows of an import, one transaction per row."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from accounts.models import User
from catalog.models import Book
from core.db.transactions import atomic_with_retry
from readings.services import import_readings
from reviews.imports import matching
from reviews.imports.errors import InvalidRowError
from reviews.imports.files import ExportFile
from reviews.imports.rows import ReviewRow
from reviews.models import ImportedReview, ImportReport, Review, ReviewImport, SupersededError

logger = logging.getLogger("bookbridge.imports")

# After this many rows that write nothing, progress is saved; after a crash only these are read again.
MAX_UNSAVED_ROWS = 200
# SQLite allows one writer at a time, and waiting writers poll for the lock; a pause lets them acquire it.
PAUSE_SECONDS = 0.02


class ImportRunner:
    """Continues an import from its saved progress.

    Each row with a review is one transaction that also saves the progress: a crash neither loses nor repeats rows, and
    locks are held for one row only. `report` is the result so far.
    """

    def __init__(self, review_import: ReviewImport, data: bytes) -> None:
        """Open the file; `data` was validated when the import was created."""
        self.review_import = review_import
        self.report = self._saved = review_import.report
        export = ExportFile(data, review_import.source)
        self._known_books = _known_books(review_import, export)
        self._rows = export.rows(skip=review_import.rows_processed)
        self._shared_isbns = export.shared_isbns()

    def run(self, *, should_stop: Callable[[], bool], progress: Callable[[int], None] = lambda done: None) -> bool:
        """Process the remaining rows until `should_stop` returns True; return whether the import has finished.

        Raises SupersededError if another process has continued the import.
        """
        for line, row in self._rows:
            self._process(line, row)
            progress(self.report.rows_processed)
            if should_stop() and self.report.rows_processed < self.review_import.rows:
                self._save_progress()
                return False
            if self.report.rows_processed - self._saved.rows_processed >= MAX_UNSAVED_ROWS:
                self._save_progress()
        self._save_progress(end=True)
        return True

    def _process(self, line: int, row: ReviewRow | InvalidRowError | None) -> None:
        if isinstance(row, InvalidRowError):
            self.report = self.report.with_error(line, row.code)
        elif row is None:
            self.report = self.report.with_row("skipped", "nothing_to_review")
        else:
            if row.isbn13 in self._shared_isbns:
                row.isbn13 = ""
                row.warnings.append("shared_isbn")
            self._import(line, row)

    def _import(self, line: int, row: ReviewRow) -> None:
        try:
            self.report = self._saved = self._write(row)
            if connection.vendor == "sqlite":
                time.sleep(PAUSE_SECONDS)
        except (OperationalError, InterfaceError, SupersededError):
            raise
        except Exception:  # one row must not block the others
            logger.exception("Could not import a row")
            self.report = self.report.with_error(line, "unexpected")

    @atomic_with_retry
    def _write(self, row: ReviewRow) -> ImportReport:
        users = User.objects.select_for_update().filter(pk=self.review_import.user_id, is_active=True)
        if not users.values_list("pk").first():
            raise SupersededError
        outcome = import_row(row, review_import=self.review_import, known_books=self._known_books)
        report = self.report.with_row(*outcome)
        self.review_import.save_progress(report, since=self._saved)
        return report

    def _save_progress(self, *, end: bool = False) -> None:
        self.review_import.save_progress(self.report, since=self._saved, end=end)
        self._saved = self.report


def import_row(row: ReviewRow, *, review_import: ReviewImport, known_books: Mapping[str, int]) -> list[str]:
    """Create or update the review and the readings of a row. The user must be locked.

    `known_books` are books by their origin. Return `created`, `updated` or `skipped`, followed by warnings. Reviews
    that were written or edited by the user, or imported from another row, are not changed.
    """
    user, warnings, origin = review_import.user, list(row.warnings), _origin(review_import, row.key)
    book, added = matching.get_or_add_book(row, by=user, known_id=known_books.get(origin))
    if added:
        warnings.append("book_added")
    elif matching.has_other_title(row, book):
        warnings.append("other_title")
    readings = import_readings(user=user, book=book, past=row.readings)
    if not row.has_review:
        return ["skipped", "reading_only" if readings else "nothing_to_review"]
    return _import_review(row, book, review_import, origin, warnings)


def _import_review(
    row: ReviewRow, book: Book, review_import: ReviewImport, origin: str, warnings: list[str]
) -> list[str]:
    user = review_import.user
    review = Review.objects.filter(author=user, book=book).first()
    if review is None:
        fields = {"visibility": row.visibility or review_import.visibility, "created_at": row.date_read}
        review = Review.create_review(book=book, by=user, **fields, **_content(row))
        ImportedReview.objects.create(review=review, origin=origin, last_import=review_import.pk)
        return ["created", *warnings]
    imported = ImportedReview.objects.filter(review=review, origin=origin).first()
    if imported is None or imported.last_import == review_import.pk:
        return ["skipped", _skip_reason(review, row, review_import)]
    if _is_same(review, row):
        imported.mark_as_seen(review_import)
        return ["skipped", "unchanged"]
    if imported.edited_at != review.edited_at:
        return ["skipped", "edited_here"]
    date = {} if _same_day(review, row) else {"created_at": row.date_read}
    if date and row.date_read and review.created_at and row.date_read < review.created_at:
        return ["skipped", "newer_here"]
    review.update_review(**_content(row), **date)
    imported.mark_as_seen(review_import, edited_at=review.edited_at)
    return ["updated", *warnings]


def _skip_reason(review: Review, row: ReviewRow, review_import: ReviewImport) -> str:
    """Return why an existing review is not updated by this row."""
    if _is_same(review, row):
        return "unchanged"
    from_source = ImportedReview.objects.filter(review=review, origin__startswith=f"{review_import.source}:")
    return "same_book" if from_source.exists() else "reviewed_here"


def _is_same(review: Review, row: ReviewRow) -> bool:
    content = _content(row).items()
    return all(getattr(review, name) == value for name, value in content) and _same_day(review, row)


def _same_day(review: Review, row: ReviewRow) -> bool:
    """Return whether the row has no date or the same date as the review."""
    if row.date_read is None or review.created_at is None:
        return row.date_read is None
    return row.date_read.date() == review.created_at.date()


def _content(row: ReviewRow) -> dict[str, Any]:
    content = {"rating": row.rating, "body": row.body, "contains_spoilers": row.contains_spoilers}
    return content | {"title": row.review_title} | ({"language": row.language} if row.language else {})


def _origin(review_import: ReviewImport, key: str) -> str:
    """Return the identifier of the row with this key across all sources."""
    key = key if len(key) <= 100 else sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{review_import.source}:{key}"


def _known_books(review_import: ReviewImport, export: ExportFile) -> dict[str, int]:
    """Return the books that the user has reviewed by earlier imports of this source, by the origin of their row.

    Without origins that several reviews or several rows of this file have.
    """
    earlier = ImportedReview.objects.filter(
        review__author=review_import.user_id, origin__startswith=f"{review_import.source}:"
    ).exclude(last_import=review_import.pk)
    books = list(earlier.values_list("origin", "review__book"))
    if not books:
        return {}
    reviews = Counter(origin for origin, _book in books)
    rows = Counter(_origin(review_import, key) for key in export.row_keys())
    return {origin: book for origin, book in books if reviews[origin] == rows[origin] == 1}
