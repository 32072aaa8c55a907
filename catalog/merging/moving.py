"""Moving the rows of two merged books, some at a time."""

from __future__ import annotations

import time
from typing import Any, Protocol

from django.http import Http404
from django.utils import timezone

from bookbridge.api import counters
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import UNDERWAY, Merge, State
from catalog.models import Book, Edition, touched

# The time of one run of the task.
JOB_SECONDS = 2.0


class Part(Protocol):
    """What moves the rows of one app. Each call is a transaction; one that writes holds both books (`hold_books`)."""

    def move(self, merge: Merge) -> bool:
        """Move some rows from the book that goes to the kept one, each noted; whether there were any."""

    def move_back(self, merge: Merge) -> bool:
        """Move some of the noted rows back; whether there were any."""

    def left(self, merge: Merge) -> int:
        """How many rows are still to be moved, there or back."""


parts: list[Part] = []


def run(merge: Merge, *, seconds: float) -> bool:
    """Go on with what is underway, for so long at most; whether it is at its end."""
    end = time.monotonic() + seconds
    merge.refresh_from_db()
    undoing = merge.state == State.UNDOING
    # Backwards on the way back.
    for part in reversed(parts) if undoing else parts:
        step = part.move_back if undoing else part.move
        while step(merge):
            if time.monotonic() > end:
                return False
    _end_undoing(merge) if undoing else _end(merge)
    return True


def left(merge: Merge) -> int:
    """How many rows are still to be moved; 0 for a merge that is at its end."""
    return sum(part.left(merge) for part in parts) if merge.state in UNDERWAY else 0


def hold_books(merge: Merge, state: str) -> bool:
    """Lock both books until the transaction ends; whether the merge is still in that state."""
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
    # Else the next look at the list would ask the same again.
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
    """What the kept book has from the other and nobody has changed since, as it was before."""
    changes = merge.filled.changes if merge.filled else {}
    back = {name: change["before"] for name, change in changes.items() if getattr(kept, name) == change["after"]}
    if kept.isbn13 and not kept.editions.filter(isbn13=kept.isbn13).exists():
        back["isbn13"] = kept.editions.values_list("isbn13", flat=True).first()
    return back
