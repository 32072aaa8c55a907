"""Moving the rows of two merged books, in batches."""

from __future__ import annotations

import time
from typing import Any, Protocol

from django.http import Http404
from django.utils import timezone

from bookbridge.api import counters
from bookbridge.api.registry import merge_handlers
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import UNDERWAY, Merge, State
from catalog.models import Book, Edition, touched

# After this long in the task, other tasks have their turn.
JOB_SECONDS = 2.0


class Part(Protocol):
    """Moves the rows of one app. Each call is a transaction; one that writes locks both books (`hold_books`)."""

    def move(self, merge: Merge) -> bool:
        """Move some rows to the kept book and record each; return whether there were any."""

    def move_back(self, merge: Merge) -> bool:
        """Move some of the recorded rows back; return whether there were any."""

    def left(self, merge: Merge) -> int:
        """Return how many rows are left to move or to move back."""


def run(merge: Merge, *, seconds: float) -> bool:
    """Continue a merge or its undoing for at most `seconds`; return whether it is finished."""
    end = time.monotonic() + seconds
    merge.refresh_from_db()
    undoing = merge.state == State.UNDOING
    # Undo in reverse order.
    parts: list[Part] = [*merge_handlers.values()]
    for part in reversed(parts) if undoing else parts:
        step = part.move_back if undoing else part.move
        while step(merge):
            if time.monotonic() > end:
                return False
    _end_undoing(merge) if undoing else _end(merge)
    return True


def left(merge: Merge) -> int:
    """Return how many rows are left to move; 0 for a finished merge."""
    return sum(part.left(merge) for part in merge_handlers.values()) if merge.state in UNDERWAY else 0


def hold_books(merge: Merge, state: str) -> bool:
    """Lock both books; return whether the merge is still in this state."""
    hold_ids(merge.books)
    return Merge.objects.filter(pk=merge.pk, state=state).exists()


@retrying_atomic
def _end(merge: Merge) -> None:
    if hold_books(merge, State.MERGING):
        Merge.objects.filter(pk=merge.pk).update(state=State.MERGED)
        merge.state = State.MERGED


@retrying_atomic
def _end_undoing(merge: Merge) -> None:
    if not hold_books(merge, State.UNDOING):
        return
    kept, gone = (Book.objects.get(pk=pk) for pk in (merge.kept_id, merge.gone_id))
    editions = merge.noted("edition", most=100_000)
    Edition.objects.filter(pk__in=editions, book=kept).update(book=gone)
    merge.strike("edition", editions)
    kept.change(by=merge.undone_by, **_not_its_own(merge, kept))
    if gone.isbn13 and not gone.editions.filter(isbn13=gone.isbn13).exists():
        gone.isbn13 = gone.editions.values_list("isbn13", flat=True).first()
    gone.compare(gone.authors)
    set_columns(
        gone, merged_into=None, isbn13=gone.isbn13, work_key=gone.work_key, print_key=gone.print_key, told_apart=True
    )
    # Otherwise the list of possible duplicates would offer them again.
    set_columns(kept, told_apart=True)
    counters.add({"books": 1})
    merge.state, merge.undone_at = State.UNDONE, timezone.now()
    merge.save(update_fields=["state", "undone_at"])


def hold_ids(ids: list[int]) -> dict[int, Book]:
    """Lock these books until the transaction ends. Raises Http404."""
    books = {book.pk: book for book in Book.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    if len(books) < len(ids):
        raise Http404
    return books


def set_columns(book: Book, **columns: Any) -> None:
    """Write some columns of a book, and invalidate what is cached of it."""
    Book.objects.filter(pk=book.pk).update(**columns)
    for name, value in columns.items():
        setattr(book, name, value)
    touched([book.pk])


def _not_its_own(merge: Merge, kept: Book) -> dict[str, Any]:
    """Return the earlier values of the fields filled by the merge and not changed since."""
    changes = merge.filled.changes if merge.filled else {}
    back = {name: change["before"] for name, change in changes.items() if getattr(kept, name) == change["after"]}
    if kept.isbn13 and not kept.editions.filter(isbn13=kept.isbn13).exists():
        back["isbn13"] = kept.editions.values_list("isbn13", flat=True).first()
    return back
