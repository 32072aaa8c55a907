"""Run merges: move the rows of two merged books in batches, and finish or undo the merge."""

from __future__ import annotations

import time
from typing import Any, Protocol

from django.http import Http404
from django.utils import timezone

from catalog.models import IN_PROGRESS, Book, Edition, Merge, MergeStatus
from catalog.versions import invalidate_books
from core.counters import counters
from core.db.transactions import atomic_with_retry
from core.registry import merge_handlers

# Kind of the moved row of an edition that got the title of its book.
EDITION_TITLE = "edition title"

# The task stops after this time, so that other tasks can run.
MAX_SECONDS_PER_RUN = 2.0


class MergeHandler(Protocol):
    """Handler that moves the rows of one app.

    Each call is a transaction; one that writes must call `lock_books` first.
    """

    def move(self, merge: Merge) -> bool:
        """Move some rows to the target book and record them; return whether there were any."""

    def undo_move(self, merge: Merge) -> bool:
        """Move some of the recorded rows back; return whether there were any."""

    def remaining(self, merge: Merge) -> int:
        """Return how many rows are left to move or to move back."""


def run_merge(merge: Merge, *, seconds: float) -> bool:
    """Continue a merge or its undoing for at most `seconds`; return whether it is finished."""
    deadline = time.monotonic() + seconds
    merge.refresh_from_db()
    undoing = merge.status == MergeStatus.UNDOING
    # Undo in reverse order.
    handlers: list[MergeHandler] = [*merge_handlers.values()]
    for handler in reversed(handlers) if undoing else handlers:
        move_rows = handler.undo_move if undoing else handler.move
        while move_rows(merge):
            if time.monotonic() > deadline:
                return False
    _finish_undo(merge) if undoing else _finish_merge(merge)
    return True


def remaining(merge: Merge) -> int:
    """Return how many rows are left to move; 0 for a finished merge."""
    return sum(handler.remaining(merge) for handler in merge_handlers.values()) if merge.status in IN_PROGRESS else 0


def lock_books(merge: Merge, status: str) -> bool:
    """Lock both books; return whether the merge still has this status."""
    lock_books_by_id(merge.book_ids)
    return Merge.objects.filter(pk=merge.pk, status=status).exists()


@atomic_with_retry
def _finish_merge(merge: Merge) -> None:
    if lock_books(merge, MergeStatus.MERGING):
        Merge.objects.filter(pk=merge.pk).update(status=MergeStatus.MERGED)
        merge.status = MergeStatus.MERGED


@atomic_with_retry
def _finish_undo(merge: Merge) -> None:
    if not lock_books(merge, MergeStatus.UNDOING):
        return
    target, source = (Book.objects.get(pk=pk) for pk in (merge.target_id, merge.source_id))
    editions = merge.moved_ids("edition", limit=100_000)
    Edition.objects.filter(pk__in=editions, book=target).update(book=source)
    merge.clear_moved("edition", editions)
    titled = merge.moved_ids(EDITION_TITLE, limit=1)
    Edition.objects.filter(pk__in=titled, title=source.title).update(title="")
    merge.clear_moved(EDITION_TITLE, titled)
    target.update_book(by=merge.undone_by, **_fields_to_restore(merge, target))
    target.update_search_text()
    if source.isbn13 and not source.editions.filter(isbn13=source.isbn13).exists():
        source.isbn13 = source.editions.values_list("isbn13", flat=True).first()
    source.update_duplicate_keys(source.authors)
    update_columns(
        source,
        merged_into=None,
        isbn13=source.isbn13,
        work_key=source.work_key,
        edition_key=source.edition_key,
        confirmed_distinct=True,
    )
    # Otherwise the list of likely duplicates would show them again.
    update_columns(target, confirmed_distinct=True)
    counters.increment({"books": 1})
    merge.status, merge.undone_at = MergeStatus.UNDONE, timezone.now()
    merge.save(update_fields=["status", "undone_at"])


def lock_books_by_id(ids: list[int]) -> dict[int, Book]:
    """Lock these books until the transaction ends. Raises Http404."""
    books = {book.pk: book for book in Book.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    if len(books) < len(ids):
        raise Http404
    return books


def update_columns(book: Book, **columns: Any) -> None:
    """Write some columns of a book, and invalidate its cached responses."""
    Book.objects.filter(pk=book.pk).update(**columns)
    for name, value in columns.items():
        setattr(book, name, value)
    invalidate_books([book.pk])


def _fields_to_restore(merge: Merge, target: Book) -> dict[str, Any]:
    """Return the earlier values of the fields filled by the merge and not changed since."""
    changes = merge.filled_revision.changes if merge.filled_revision else {}
    values = {name: change["before"] for name, change in changes.items() if getattr(target, name) == change["after"]}
    if target.isbn13 and not target.editions.filter(isbn13=target.isbn13).exists():
        values["isbn13"] = target.editions.values_list("isbn13", flat=True).first()
    return values
