"""Processes the rows of an import, one transaction per row."""

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from accounts.models import User
from bookbridge.api.transactions import retrying_atomic
from reviews.importing import matching
from reviews.importing.files import ExportFile
from reviews.importing.models import Import, ImportedReview, Report, SupersededError
from reviews.importing.rows import BadRowError, Row
from reviews.models import Review

logger = logging.getLogger("bookbridge.imports")

# After this many rows that write nothing, progress is saved; after a crash only these are read again.
MOST_UNNOTED = 200
# SQLite allows one writer, and waiting ones only poll; without a pause they would wait long.
BREATH_SECONDS = 0.02


class Run:
    """Continues an import from its saved progress.

    Each row with a review is one transaction that also saves the progress: a crash neither loses nor repeats rows, and
    locks are held for one row only. `report` is the result so far.
    """

    def __init__(self, work: Import, data: bytes) -> None:
        """Open the file; `data` was validated when the import was created."""
        self.work = work
        self.report = self._noted = work.report
        self._rows = ExportFile(data, work.source).rows(skip=work.done)

    def run(self, *, stopped: Callable[[], bool], progress: Callable[[int], None] = lambda done: None) -> bool:
        """Process the remaining rows until `stopped` returns True; return whether the import has finished.

        Raises SupersededError if another process has continued the import.
        """
        for line, row in self._rows:
            self._take(line, row)
            progress(self.report.done)
            if stopped() and self.report.done < self.work.rows:
                self._note()
                return False
            if self.report.done - self._noted.done >= MOST_UNNOTED:
                self._note()
        self._note(end=True)
        return True

    def _take(self, line: int, row: Row | BadRowError | None) -> None:
        if isinstance(row, BadRowError):
            self.report = self.report.and_error(line, row.code)
        elif row is None:
            self.report = self.report.and_row("skipped", "nothing_to_review")
        else:
            self._try(line, row)

    def _try(self, line: int, row: Row) -> None:
        try:
            self.report = self._noted = self._write(row)
            if connection.vendor == "sqlite":
                time.sleep(BREATH_SECONDS)
        except (OperationalError, InterfaceError, SupersededError):
            raise
        except Exception as error:  # one row must not block the others
            logger.error("a row could not be imported", exc_info=error)
            self.report = self.report.and_error(line, "unexpected")

    @retrying_atomic
    def _write(self, row: Row) -> Report:
        users = User.objects.select_for_update().filter(pk=self.work.user_id, is_active=True)
        if not users.values_list("pk").first():
            raise SupersededError
        report = self.report.and_row(*write(row, work=self.work))
        self.work.advance(report, since=self._noted)
        return report

    def _note(self, *, end: bool = False) -> None:
        self.work.advance(self.report, since=self._noted, end=end)
        self._noted = self.report


def write(row: Row, *, work: Import) -> list[str]:
    """Create or update the review of a row. The user must be locked.

    Return `created`, `updated` or `skipped`, followed by warnings. Reviews that were written or edited by the user, or
    imported from another row, are not changed.
    """
    user, remarks = work.user, list(row.remarks)
    book = matching.find(row)
    if book is None:
        book = matching.add(row, by=user)
        remarks.append("book_added")
    review = Review.objects.filter(author=user, book=book).first()
    if review is None:
        dated = {"created_at": row.day} if row.day else {}
        review = Review.write(book=book, by=user, visibility=work.visibility, **_content(row), **dated)
        ImportedReview.objects.create(review=review, origin=_origin(work, row), last_import=work.pk)
        return ["created", *remarks]
    imported = ImportedReview.objects.filter(review=review, origin=_origin(work, row)).first()
    if imported is None or imported.last_import == work.pk:
        return ["skipped", _why_not(review, row, work)]
    if _is_same(review, row):
        imported.seen_again(by=work)
        return ["skipped", "unchanged"]
    if imported.edited_at != review.edited_at:
        return ["skipped", "edited_here"]
    if row.day and row.day < review.created_at and not _same_day(review, row):
        return ["skipped", "newer_here"]
    review.change(**_content(row), **({} if row.day is None or _same_day(review, row) else {"created_at": row.day}))
    imported.seen_again(by=work, edited_at=review.edited_at)
    return ["updated", *remarks]


def _why_not(review: Review, row: Row, work: Import) -> str:
    """Return why an existing review is not updated by this row."""
    if ImportedReview.objects.filter(review=review, origin__startswith=f"{work.source}:").exists():
        return "same_book"
    return "unchanged" if _is_same(review, row) else "reviewed_here"


def _is_same(review: Review, row: Row) -> bool:
    content = _content(row).items()
    return all(getattr(review, name) == value for name, value in content) and _same_day(review, row)


def _same_day(review: Review, row: Row) -> bool:
    """Return whether the row has no date or the same date as the review."""
    return row.day is None or row.day.date() == review.created_at.date()


def _content(row: Row) -> dict[str, Any]:
    return {"rating": row.rating, "body": row.body, "contains_spoilers": row.contains_spoilers}


def _origin(work: Import, row: Row) -> str:
    """Return the identifier of the row across all sources."""
    key = row.key if len(row.key) <= 100 else sha256(row.key.encode()).hexdigest()
    return f"{work.source}:{key}"
