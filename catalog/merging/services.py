"""Merging of two books, and undoing a merge.

The first transaction redirects the source book to the target, after which nothing new refers to it
(`BookQuerySet.lock`). Rows that refer to it are then moved in small transactions, at first for a few seconds inside the
request and then by a task, so that a book with many reviews blocks nobody. Counters follow each row in the transaction
that moves it, so they are always right. Undoing moves the rows back; its last transaction restores the source book.

Other apps register a handler in `merge_handlers` for their rows.
"""

from __future__ import annotations

import datetime
import time
from typing import Any, Protocol

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.services import record
from bookbridge.api import counters
from bookbridge.api.audit import audit
from bookbridge.api.errors import Conflict
from bookbridge.api.jobs import enqueue, job
from bookbridge.api.registry import merge_handlers
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import UNDERWAY, Merge, State
from catalog.models import Book, Edition, touched

# Seconds for moving rows inside the request. The task for the rest starts after the request is surely over.
AT_ONCE_SECONDS = 3.0
JOB_AFTER = datetime.timedelta(seconds=20)
JOB_SECONDS = 2.0
# Fields that are copied to the target if it lacks them.
FILLED = ("isbn13", "published_year", "language", "page_count", "description", "subjects", "cover_url")


class Part(Protocol):
    """Handler that moves the rows of one app.

    Each call is a transaction; one that writes locks both books (`lock_books`).
    """

    def move(self, merge: Merge) -> bool:
        """Move some rows from the source to the target and record them. Return whether there were any."""

    def move_back(self, merge: Merge) -> bool:
        """Move some recorded rows back. Return whether there were any."""

    def left(self, merge: Merge) -> int:
        """Return the number of rows that are still to be moved, in either direction."""


def merge_books(*, kept: Book, gone: Book, by: User, reason: str) -> Merge:
    """Merge `source` into `target`.

    Raises Conflict `same_book`; `book_merged` if one was merged into another book; `merge_underway` while rows of one
    of them are being moved.
    """
    merge = _start_merge(kept.pk, gone.pk, by=by, reason=reason)
    run(merge, seconds=AT_ONCE_SECONDS)
    return merge


def undo_merge(merge: Merge, *, by: User, reason: str) -> None:
    """Undo a merge; what was written since then stays with the target.

    Raises Conflict `not_merged` if it was undone already, `merge_underway`, and `merged_since` if either book was
    merged again afterwards: the last merge has to be undone first.
    """
    _start_undo(merge, by=by, reason=reason)
    run(merge, seconds=AT_ONCE_SECONDS)


def run(merge: Merge, *, seconds: float) -> bool:
    """Continue a merge or its undoing for at most `seconds`. Return whether it is finished."""
    end = time.monotonic() + seconds
    merge.refresh_from_db()
    undoing = merge.state == State.UNDOING
    # Undoing runs in reverse order.
    parts: list[Part] = [*merge_handlers.values()]
    for part in reversed(parts) if undoing else parts:
        step = part.move_back if undoing else part.move
        while step(merge):
            if time.monotonic() > end:
                return False
    _finish_undo(merge) if undoing else _finish_merge(merge)
    return True


def left(merge: Merge) -> int:
    """Return the number of rows that are still to be moved; 0 for a finished merge."""
    return sum(part.left(merge) for part in merge_handlers.values()) if merge.state in UNDERWAY else 0


@job("catalog.merge", atomic=False)
def _go_on(*, merge: int) -> bool:
    """Continue a merge or its undoing; does nothing if it is finished."""
    found = Merge.objects.underway().filter(pk=merge).first()
    return found is not None and not run(found, seconds=JOB_SECONDS)


def hold_books(merge: Merge, state: str) -> bool:
    """Lock both books until the transaction ends. Return whether the merge still has that status."""
    _lock(merge.books)
    return Merge.objects.filter(pk=merge.pk, state=state).exists()


@retrying_atomic
def _start_merge(kept_id: int, gone_id: int, *, by: User, reason: str) -> Merge:
    hold(User, [by.pk])
    if kept_id == gone_id:
        raise Conflict("same_book", _("A book cannot be merged with itself."))
    kept, gone = (_lock([kept_id, gone_id])[pk] for pk in (kept_id, gone_id))
    for book in (kept, gone):
        if book.merged_into is not None:
            raise Conflict("book_merged", _("This book has been merged into another one."), book=book.merged_into)
    _require_rest(kept_id, gone_id)
    merge = Merge.objects.create(kept=kept, gone=gone, by=by, reason=reason)
    merge.note("edition", gone.editions.values_list("pk", flat=True))
    gone.editions.update(book=kept)
    _update_columns(gone, merged_into=kept_id, work_key=None, print_key=None)
    counters.add({"books": -1})
    merge.filled = kept.change(by=by, **_unknown_to(kept, gone))
    merge.save(update_fields=["filled"])
    _tell("book.merged", merge, kept, by, reason)
    return merge


@retrying_atomic
def _finish_merge(merge: Merge) -> None:
    if hold_books(merge, State.MERGING):
        Merge.objects.filter(pk=merge.pk).update(state=State.MERGED)
        merge.state = State.MERGED


@retrying_atomic
def _start_undo(merge: Merge, *, by: User, reason: str) -> None:
    hold(User, [by.pk])
    books = _lock(merge.books)
    merge.refresh_from_db()
    if merge.state in (State.UNDOING, State.UNDONE):
        raise Conflict("not_merged", _("This merge has already been undone."))
    _require_rest(*merge.books)
    later = Merge.objects.standing().of(*merge.books).filter(pk__gt=merge.pk).order_by("-pk").first()
    if later:
        raise Conflict(
            "merged_since", _("One of these books was merged again later. Undo that merge first."), merge=later.pk
        )
    merge.state, merge.undone_by, merge.undone_reason = State.UNDOING, by, reason
    merge.save(update_fields=["state", "undone_by", "undone_reason"])
    _tell("book.unmerged", merge, books[merge.kept_id], by, reason)


@retrying_atomic
def _finish_undo(merge: Merge) -> None:
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
    _update_columns(
        gone, merged_into=None, isbn13=gone.isbn13, work_key=gone.work_key, print_key=gone.print_key, told_apart=True
    )
    # Otherwise the two books would be listed as likely duplicates again.
    _update_columns(kept, told_apart=True)
    counters.add({"books": 1})
    merge.state, merge.undone_at = State.UNDONE, timezone.now()
    merge.save(update_fields=["state", "undone_at"])


def _lock(ids: list[int]) -> dict[int, Book]:
    books = {book.pk: book for book in Book.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    if len(books) < len(ids):
        raise Http404
    return books


def _require_rest(*books: int) -> None:
    if Merge.objects.underway().of(*books).exists():
        raise Conflict("merge_underway", _("These books are still being merged. Try again in a moment."))


def _update_columns(book: Book, **columns: Any) -> None:
    Book.objects.filter(pk=book.pk).update(**columns)
    for name, value in columns.items():
        setattr(book, name, value)
    touched([book.pk])


def _unknown_to(kept: Book, gone: Book) -> dict[str, Any]:
    """Return the fields that the target lacks, as the source has them."""
    return {name: getattr(gone, name) for name in FILLED if getattr(gone, name) and not getattr(kept, name)}


def _not_its_own(merge: Merge, kept: Book) -> dict[str, Any]:
    """Return the old values of the copied fields that have not been changed since."""
    changes = merge.filled.changes if merge.filled else {}
    back = {name: change["before"] for name, change in changes.items() if getattr(kept, name) == change["after"]}
    if kept.isbn13 and not kept.editions.filter(isbn13=kept.isbn13).exists():
        back["isbn13"] = kept.editions.values_list("isbn13", flat=True).first()
    return back


def _tell(verb: str, merge: Merge, kept: Book, by: User, reason: str) -> None:
    """Write the logs, and enqueue the task that moves the remaining rows."""
    record(verb, actor=by.pk, thing=kept.thing)
    audit(verb, by=by, target=kept, reason=reason, detail=f"merge {merge.pk}: book {merge.gone_id}")
    enqueue("catalog.merge", at=timezone.now() + JOB_AFTER, merge=merge.pk)
