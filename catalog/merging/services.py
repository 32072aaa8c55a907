"""Merging of two books, and undoing a merge.

The first transaction redirects the source book to the target, after which nothing new refers to it
(`BookQuerySet.lock`). Rows that refer to it are then moved in small transactions, at first for a few seconds inside the
request and then by a task, so that a book with many reviews blocks nobody. Counters follow each row in the transaction
that moves it, so they are always right. Undoing moves the rows back; its last transaction restores the source book.

Other apps register a handler in `merge_handlers` for their rows.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.services import record
from bookbridge.api import counters
from bookbridge.api.audit import audit
from bookbridge.api.errors import Conflict
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import Merge, State
from catalog.merging.moving import hold_ids, run, set_columns
from catalog.models import Book
from catalog.tasks import continue_merge

# Seconds for moving rows inside the request. The task for the rest starts after the request is surely over.
AT_ONCE_SECONDS = 3.0
JOB_AFTER = datetime.timedelta(seconds=20)
# Fields that are copied to the target if it lacks them.
FILLED = ("isbn13", "published_year", "language", "page_count", "description", "subjects", "cover_url")


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
    _begin_undoing(merge, by=by, reason=reason)
    run(merge, seconds=AT_ONCE_SECONDS)


@retrying_atomic
def _start_merge(kept_id: int, gone_id: int, *, by: User, reason: str) -> Merge:
    hold(User, [by.pk])
    if kept_id == gone_id:
        raise Conflict("same_book", _("A book cannot be merged with itself."))
    kept, gone = (hold_ids([kept_id, gone_id])[pk] for pk in (kept_id, gone_id))
    for book in (kept, gone):
        if book.merged_into is not None:
            raise Conflict("book_merged", _("This book has been merged into another one."), book=book.merged_into)
    _require_rest(kept_id, gone_id)
    merge = Merge.objects.create(kept=kept, gone=gone, by=by, reason=reason)
    merge.note("edition", gone.editions.values_list("pk", flat=True))
    gone.editions.update(book=kept)
    set_columns(gone, merged_into=kept_id, work_key=None, print_key=None)
    counters.add({"books": -1})
    merge.filled = kept.change(by=by, **_unknown_to(kept, gone))
    merge.save(update_fields=["filled"])
    _tell("book.merged", merge, kept, by, reason)
    return merge


@retrying_atomic
def _begin_undoing(merge: Merge, *, by: User, reason: str) -> None:
    hold(User, [by.pk])
    books = hold_ids(merge.books)
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


def _require_rest(*books: int) -> None:
    if Merge.objects.underway().of(*books).exists():
        raise Conflict("merge_underway", _("These books are still being merged. Try again in a moment."))


def _unknown_to(kept: Book, gone: Book) -> dict[str, Any]:
    """Return the fields that the target lacks, as the source has them."""
    return {name: getattr(gone, name) for name in FILLED if getattr(gone, name) and not getattr(kept, name)}


def _tell(verb: str, merge: Merge, kept: Book, by: User, reason: str) -> None:
    """Write the logs, and enqueue the task that moves the remaining rows."""
    record(verb, actor=by.pk, thing=kept.thing)
    audit(verb, by=by, target=kept, reason=reason, detail=f"merge {merge.pk}: book {merge.gone_id}")
    continue_merge.using(run_after=timezone.now() + JOB_AFTER).enqueue(merge=merge.pk)
