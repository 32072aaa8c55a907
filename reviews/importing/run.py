"""The rows of an import, written one by one."""

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

# So many rows that write nothing may go unnoted; after a crash they are read again, and nothing else.
MOST_UNNOTED = 200
# SQLite lets one writer in, and who waits looks only now and then whether it may; without a pause they would wait long.
BREATH_SECONDS = 0.02


class Run:
    """Goes on with an import where it stands.

    A row with a review is one transaction, with the note of how far the import is: a crash loses nothing and repeats
    nothing, and nobody waits for more than a row. `report` is what has come of the rows so far.
    """

    def __init__(self, work: Import, data: bytes) -> None:
        """`data` is the file, which was found good when the import began."""
        self.work = work
        self.report = self._noted = work.report
        self._rows = ExportFile(data, work.source).rows(skip=work.done)

    def run(self, *, stopped: Callable[[], bool], progress: Callable[[int], None] = lambda done: None) -> bool:
        """Go on to the end, or until `stopped` says so after a row; whether it is at its end.

        Raises SupersededError where somebody else has gone on with the import.
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
        except Exception as error:  # one row must not stop the others for ever
            logger.error("a row could not be imported", exc_info=error)
            self.report = self.report.and_error(line, "unexpected")

    @retrying_atomic
    def _write(self, row: Row) -> Report:
        reader = User.objects.select_for_update().filter(pk=self.work.user_id, is_active=True)
        if not reader.values_list("pk").first():
            raise SupersededError
        report = self.report.and_row(*write(row, work=self.work))
        self.work.advance(report, since=self._noted)
        return report

    def _note(self, *, end: bool = False) -> None:
        self.work.advance(self.report, since=self._noted, end=end)
        self._noted = self.report


def write(row: Row, *, work: Import) -> list[str]:
    """Write the review of a row; `created`, `updated` or `skipped`, and remarks. The caller holds the reader's row.

    A review that was written or edited here stays as it is, and so does one that another row has brought.
    """
    reader, remarks = work.user, list(row.remarks)
    book = matching.find(row)
    if book is None:
        book = matching.add(row, by=reader)
        remarks.append("book_added")
    review = Review.objects.filter(author=reader, book=book).first()
    if review is None:
        dated = {"created_at": row.day} if row.day else {}
        review = Review.write(book=book, by=reader, visibility=work.visibility, **_content(row), **dated)
        ImportedReview.objects.create(review=review, origin=_origin(work, row), last_import=work.pk)
        return ["created", *remarks]
    brought = ImportedReview.objects.filter(review=review, origin=_origin(work, row)).first()
    if brought is None or brought.last_import == work.pk:
        return ["skipped", _why_not(review, row, work)]
    if _is_same(review, row):
        brought.seen_again(by=work)
        return ["skipped", "unchanged"]
    if brought.edited_at != review.edited_at:
        return ["skipped", "edited_here"]
    if row.day and row.day < review.created_at and not _same_day(review, row):
        return ["skipped", "newer_here"]
    review.change(**_content(row), **({} if row.day is None or _same_day(review, row) else {"created_at": row.day}))
    brought.seen_again(by=work, edited_at=review.edited_at)
    return ["updated", *remarks]


def _why_not(review: Review, row: Row, work: Import) -> str:
    """Why a review stays as it is that the row has not brought, or that this import has written already."""
    if ImportedReview.objects.filter(review=review, origin__startswith=f"{work.source}:").exists():
        return "same_book"
    return "unchanged" if _is_same(review, row) else "reviewed_here"


def _is_same(review: Review, row: Row) -> bool:
    content = _content(row).items()
    return all(getattr(review, name) == value for name, value in content) and _same_day(review, row)


def _same_day(review: Review, row: Row) -> bool:
    """Whether the row has no other day than the review."""
    return row.day is None or row.day.date() == review.created_at.date()


def _content(row: Row) -> dict[str, Any]:
    return {"rating": row.rating, "body": row.body, "contains_spoilers": row.contains_spoilers}


def _origin(work: Import, row: Row) -> str:
    """What tells the row from those of other books and sources."""
    key = row.key if len(row.key) <= 100 else sha256(row.key.encode()).hexdigest()
    return f"{work.source}:{key}"
