"""The rows of an import, written one by one."""

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.db import InterfaceError, OperationalError

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


class Run:
    """Goes on with an import where it stands.

    A row that writes is one transaction, with the note of how far the import is: a crash loses nothing and repeats
    nothing, and nobody waits for more than a row. `report` is what has come of the rows so far.
    """

    def __init__(self, work: Import, data: bytes) -> None:
        """`data` is the file, which was found good when the import began."""
        self.work = work
        self.file = ExportFile(data, work.source)
        self.report = self._noted = work.report
        self._seen: set[str] = set()

    def run(self, *, stopped: Callable[[], bool], progress: Callable[[int], None] = lambda done: None) -> bool:
        """Go on to the end, or until `stopped` says so; whether it is at its end.

        Raises SupersededError where somebody else has gone on with the import.
        """
        before = self.report.done
        for number, (line, row) in enumerate(self.file.rows(), 1):
            if number > before:
                self._take(line, row)
                progress(number)
                if number - self._noted.done >= MOST_UNNOTED:
                    self._note()
            if isinstance(row, Row):
                self._seen.add(row.key)
            if stopped() and number > before and number < self.work.rows:
                self._note()
                return False
        self._note(end=True)
        return True

    def _take(self, line: int, row: Row | BadRowError | None) -> None:
        if isinstance(row, BadRowError):
            self.report = self.report.and_error(line, row.code)
        elif row is None:
            self.report = self.report.and_row("skipped", "nothing_to_review")
        elif row.key in self._seen:
            self.report = self.report.and_row("skipped", "same_book")
        else:
            self._try(line, row)

    def _try(self, line: int, row: Row) -> None:
        try:
            outcome, self.report = self._write(row)
            if outcome != "skipped":
                self._noted = self.report
        except (OperationalError, InterfaceError, SupersededError):
            raise
        except Exception as error:  # one row must not stop the others for ever
            logger.error("a row could not be imported", exc_info=error)
            self.report = self.report.and_error(line, "unexpected")

    @retrying_atomic
    def _write(self, row: Row) -> tuple[str, Report]:
        reader = User.objects.select_for_update().filter(pk=self.work.user_id, is_active=True)
        if not reader.values_list("pk").first():
            raise SupersededError
        outcome, *remarks = write(row, by=self.work.user, source=self.work.source, visibility=self.work.visibility)
        report = self.report.and_row(outcome, *remarks)
        if outcome != "skipped":
            self.work.advance(report, since=self._noted)
        return outcome, report

    def _note(self, *, end: bool = False) -> None:
        self.work.advance(self.report, since=self._noted, end=end)
        self._noted = self.report


def write(row: Row, *, by: User, source: str, visibility: str) -> list[str]:
    """Write the review of a row; `created`, `updated` or `skipped`, and remarks. The caller holds the reader's row.

    A review that was written or edited here stays as it is, and so does one that another row has brought.
    """
    origin = _origin(source, row.key)
    remarks = list(row.remarks)
    book = matching.find(row)
    if book is None:
        book = matching.add(row, by=by)
        remarks.append("book_added")
    review = Review.objects.filter(author=by, book=book).first()
    if review is None:
        dated = {"created_at": row.day} if row.day else {}
        review = Review.write(book=book, by=by, visibility=visibility, **_content(row), **dated)
        ImportedReview.objects.create(review=review, origin=origin)
        return ["created", *remarks]
    if kept := _reason_to_keep(review, row, origin):
        return ["skipped", kept]
    dated = {} if row.day is None or _same_day(row, review) else {"created_at": row.day}
    review.change(**_content(row), **dated)
    ImportedReview.objects.filter(review=review).update(edited_at=review.edited_at)
    return ["updated", *remarks]


def _reason_to_keep(review: Review, row: Row, origin: str) -> str | None:
    """Why a review stays as it is, if it does."""
    content = _content(row)
    brought = ImportedReview.objects.filter(review=review).first()
    if brought is not None and brought.origin != origin and _source(brought.origin) == _source(origin):
        return "same_book"
    if all(getattr(review, name) == value for name, value in content.items()) and _same_day(row, review):
        return "unchanged"
    if brought is None or brought.origin != origin:
        return "reviewed_here"
    if brought.edited_at != review.edited_at:
        return "edited_here"
    if row.day and row.day < review.created_at and not _same_day(row, review):
        return "newer_here"
    return None


def _content(row: Row) -> dict[str, Any]:
    return {"rating": row.rating, "body": row.body, "contains_spoilers": row.contains_spoilers}


def _same_day(row: Row, review: Review) -> bool:
    """Whether the row has no other day than the review."""
    return row.day is None or row.day.date() == review.created_at.date()


def _origin(source: str, key: str) -> str:
    origin = f"{source}:{key}"
    return origin if len(origin) <= 100 else f"{source}:{sha256(key.encode()).hexdigest()}"


def _source(origin: str) -> str:
    return origin.partition(":")[0]
