"""Merging two books, and undoing it.

The first transaction makes the book that goes a sign that points to the one that is kept: from then on nobody writes
to it (`BookQuerySet.hold`). What refers to it is moved afterwards, some hundred rows in a transaction, at once for a
few seconds and then by a job, so that a book with any number of reviews holds nobody up. The figures follow each row
in the transaction that moves it, and are right at every moment. Undoing goes the same way back, and the last
transaction opens the book again.

What of other apps refers to books is moved by their `merge_handlers`.
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

# How long whoever asks waits; the rest is a job's, which begins when they surely do not any more.
AT_ONCE_SECONDS = 3.0
JOB_AFTER = datetime.timedelta(seconds=20)
JOB_SECONDS = 2.0
# What a book that goes leaves to one that does not know it.
FILLED = ("isbn13", "published_year", "language", "page_count", "description", "subjects", "cover_url")


class Part(Protocol):
    """What moves the rows of one app. Each call is a transaction; one that writes holds both books (`hold_books`)."""

    def move(self, merge: Merge) -> bool:
        """Move some rows from the book that goes to the kept one, each noted; whether there were any."""

    def move_back(self, merge: Merge) -> bool:
        """Move some of the noted rows back; whether there were any."""

    def left(self, merge: Merge) -> int:
        """How many rows are still to be moved, there or back."""


def merge_books(*, kept: Book, gone: Book, by: User, reason: str) -> Merge:
    """Make `gone` one with `kept`.

    Raises Conflict `same_book`; `book_merged` where one is part of another book by now; `merge_underway` while rows of
    one are being moved.
    """
    merge = _begin(kept.pk, gone.pk, by=by, reason=reason)
    run(merge, seconds=AT_ONCE_SECONDS)
    return merge


def undo_merge(merge: Merge, *, by: User, reason: str) -> None:
    """Make two books of one again; what was written since the merge stays with the kept one.

    Raises Conflict `not_merged` where that has been done or is being done, `merge_underway`, and `merged_since` where
    either book was merged again after this: the last goes first.
    """
    _begin_undoing(merge, by=by, reason=reason)
    run(merge, seconds=AT_ONCE_SECONDS)


def run(merge: Merge, *, seconds: float) -> bool:
    """Go on with what is underway, for so long at most; whether it is at its end."""
    end = time.monotonic() + seconds
    merge.refresh_from_db()
    undoing = merge.state == State.UNDOING
    # Backwards on the way back.
    parts: list[Part] = [*merge_handlers.values()]
    for part in reversed(parts) if undoing else parts:
        step = part.move_back if undoing else part.move
        while step(merge):
            if time.monotonic() > end:
                return False
    _end_undoing(merge) if undoing else _end(merge)
    return True


def left(merge: Merge) -> int:
    """How many rows are still to be moved; 0 for a merge that is at its end."""
    return sum(part.left(merge) for part in merge_handlers.values()) if merge.state in UNDERWAY else 0


@job("catalog.merge", atomic=False)
def _go_on(*, merge: int) -> bool:
    """Some seconds of a merge's or its undoing's rows; nothing happens to one that is at its end."""
    found = Merge.objects.underway().filter(pk=merge).first()
    return found is not None and not run(found, seconds=JOB_SECONDS)


def hold_books(merge: Merge, state: str) -> bool:
    """Lock both books until the transaction ends; whether the merge is still in that state."""
    _hold(merge.books)
    return Merge.objects.filter(pk=merge.pk, state=state).exists()


@retrying_atomic
def _begin(kept_id: int, gone_id: int, *, by: User, reason: str) -> Merge:
    hold(User, [by.pk])
    if kept_id == gone_id:
        raise Conflict("same_book", _("A book cannot be merged with itself."))
    kept, gone = (_hold([kept_id, gone_id])[pk] for pk in (kept_id, gone_id))
    for book in (kept, gone):
        if book.merged_into is not None:
            raise Conflict("book_merged", _("This book is part of another one by now."), book=book.merged_into)
    _require_rest(kept_id, gone_id)
    merge = Merge.objects.create(kept=kept, gone=gone, by=by, reason=reason)
    merge.note("edition", gone.editions.values_list("pk", flat=True))
    gone.editions.update(book=kept)
    _set(gone, merged_into=kept_id, work_key=None, print_key=None)
    counters.add({"books": -1})
    merge.filled = kept.change(by=by, **_unknown_to(kept, gone))
    merge.save(update_fields=["filled"])
    _tell("book.merged", merge, kept, by, reason)
    return merge


@retrying_atomic
def _end(merge: Merge) -> None:
    if hold_books(merge, State.MERGING):
        Merge.objects.filter(pk=merge.pk).update(state=State.MERGED)
        merge.state = State.MERGED


@retrying_atomic
def _begin_undoing(merge: Merge, *, by: User, reason: str) -> None:
    hold(User, [by.pk])
    books = _hold(merge.books)
    merge.refresh_from_db()
    if merge.state in (State.UNDOING, State.UNDONE):
        raise Conflict("not_merged", _("This merge has been undone already."))
    _require_rest(*merge.books)
    later = Merge.objects.standing().of(*merge.books).filter(pk__gt=merge.pk).order_by("-pk").first()
    if later:
        raise Conflict("merged_since", _("One of these books was merged again since: undo that first."), merge=later.pk)
    merge.state, merge.undone_by, merge.undone_reason = State.UNDOING, by, reason
    merge.save(update_fields=["state", "undone_by", "undone_reason"])
    _tell("book.unmerged", merge, books[merge.kept_id], by, reason)


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
    _set(gone, merged_into=None, isbn13=gone.isbn13, work_key=gone.work_key, print_key=gone.print_key, told_apart=True)
    # Else the next look at the list would ask the same again.
    _set(kept, told_apart=True)
    counters.add({"books": 1})
    merge.state, merge.undone_at = State.UNDONE, timezone.now()
    merge.save(update_fields=["state", "undone_at"])


def _hold(ids: list[int]) -> dict[int, Book]:
    books = {book.pk: book for book in Book.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    if len(books) < len(ids):
        raise Http404
    return books


def _require_rest(*books: int) -> None:
    if Merge.objects.underway().of(*books).exists():
        raise Conflict("merge_underway", _("Rows of these books are still being moved: try again in a moment."))


def _set(book: Book, **columns: Any) -> None:
    Book.objects.filter(pk=book.pk).update(**columns)
    for name, value in columns.items():
        setattr(book, name, value)
    touched([book.pk])


def _unknown_to(kept: Book, gone: Book) -> dict[str, Any]:
    """What `gone` knows and `kept` does not."""
    return {name: getattr(gone, name) for name in FILLED if getattr(gone, name) and not getattr(kept, name)}


def _not_its_own(merge: Merge, kept: Book) -> dict[str, Any]:
    """What the kept book has from the other and nobody has changed since, as it was before."""
    changes = merge.filled.changes if merge.filled else {}
    back = {name: change["before"] for name, change in changes.items() if getattr(kept, name) == change["after"]}
    if kept.isbn13 and not kept.editions.filter(isbn13=kept.isbn13).exists():
        back["isbn13"] = kept.editions.values_list("isbn13", flat=True).first()
    return back


def _tell(verb: str, merge: Merge, kept: Book, by: User, reason: str) -> None:
    """In the logs, and the job that ends what its caller does not."""
    record(verb, actor=by.pk, thing=kept.thing)
    audit(verb, by=by, target=kept, reason=reason, detail=f"merge {merge.pk}: book {merge.gone_id}")
    enqueue("catalog.merge", at=timezone.now() + JOB_AFTER, merge=merge.pk)
