"""Merge two books, and undo a merge.

The first transaction redirects the source book to the target, after which nothing new refers to it
(`BookQuerySet.lock`). Rows that refer to it are then moved in small transactions, first for a few seconds inside the
request, then by a task, so that a book with many reviews does not block other requests. The transaction that moves a
row also updates its counters. Undoing moves the rows back; its last transaction restores the source book.

Other apps register a handler in `merge_handlers` for their rows.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.services import record_event
from catalog.merges.runner import EDITION_TITLE, lock_books_by_id, run_merge, update_columns
from catalog.models import Book, BookMerged, Edition, Merge, MergeStatus
from catalog.tasks import continue_merge
from core.api.exceptions import Conflict
from core.audit import log_audit_event
from core.counters import counters
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

# Seconds for moving rows inside the request. The task starts late enough that the request has ended.
SYNC_SECONDS = 3.0
TASK_DELAY = datetime.timedelta(seconds=20)
# Fields that are copied to the target if it lacks them.
FILLED_FIELDS = ("isbn13", "published_year", "language", "page_count", "description", "subjects", "cover_url")


def merge_books(*, target: Book, source: Book, by: User, reason: str) -> Merge:
    """Merge `source` into `target`.

    Raises Conflict `same_book`; BookMerged if one was merged into another book; `merge_underway` while rows of one of
    them are being moved.
    """
    merge = _start_merge(target.pk, source.pk, by=by, reason=reason)
    run_merge(merge, seconds=SYNC_SECONDS)
    return merge


def undo_merge(merge: Merge, *, by: User, reason: str) -> None:
    """Undo a merge; what was written since then stays with the target.

    Raises Conflict `not_merged` if it was undone already, `merge_underway`, and `merged_since` if either book was
    merged again afterwards: the last merge has to be undone first.
    """
    _start_undo(merge, by=by, reason=reason)
    run_merge(merge, seconds=SYNC_SECONDS)


@atomic_with_retry
def _start_merge(target_id: int, source_id: int, *, by: User, reason: str) -> Merge:
    lock_rows(User, [by.pk])
    if target_id == source_id:
        raise Conflict("same_book", _("A book cannot be merged with itself."))
    target, source = (lock_books_by_id([target_id, source_id])[pk] for pk in (target_id, source_id))
    for book in (target, source):
        if book.merged_into is not None:
            raise BookMerged(Book.objects.merge_target(book.pk))
    _check_idle(target_id, source_id)
    merge = Merge.objects.create(target=target, source=source, created_by=by, reason=reason)
    merge.record_moved("edition", source.editions.values_list("pk", flat=True))
    _keep_title(merge, source)
    source.editions.update(book=target)
    update_columns(source, merged_into=target_id, work_key=None, edition_key=None)
    counters.increment({"books": -1})
    merge.filled_revision = target.update_book(by=by, **_missing_fields(target, source))
    merge.save(update_fields=["filled_revision"])
    target.update_search_text()
    _log("book.merged", merge, target, by, reason)
    _enqueue(merge)
    return merge


@atomic_with_retry
def _start_undo(merge: Merge, *, by: User, reason: str) -> None:
    lock_rows(User, [by.pk])
    books = lock_books_by_id(merge.book_ids)
    merge.refresh_from_db()
    if merge.status in (MergeStatus.UNDOING, MergeStatus.UNDONE):
        raise Conflict("not_merged", _("This merge has already been undone."))
    _check_idle(*merge.book_ids)
    later = Merge.objects.not_undone().involving(*merge.book_ids).filter(pk__gt=merge.pk).order_by("-pk").first()
    if later:
        raise Conflict(
            "merged_since", _("One of these books was merged again later. Undo that merge first."), merge=later.pk
        )
    merge.status, merge.undone_by, merge.undone_reason = MergeStatus.UNDOING, by, reason
    merge.save(update_fields=["status", "undone_by", "undone_reason"])
    _log("book.unmerged", merge, books[merge.target_id], by, reason)
    _enqueue(merge)


def _keep_title(merge: Merge, source: Book) -> None:
    """Give the main edition the title of its book, so that the merged book is still found by it."""
    main = list(source.editions.filter(isbn13=source.isbn13, title="").values_list("pk", flat=True))
    merge.record_moved(EDITION_TITLE, main)
    Edition.objects.filter(pk__in=main).update(title=source.title)


def _check_idle(*books: int) -> None:
    if Merge.objects.in_progress().involving(*books).exists():
        raise Conflict("merge_underway", _("These books are still being merged. Try again in a moment."))


def _missing_fields(target: Book, source: Book) -> dict[str, Any]:
    """Return the fields that the target lacks, as the source has them."""
    return {
        name: getattr(source, name) for name in FILLED_FIELDS if getattr(source, name) and not getattr(target, name)
    }


def _log(verb: str, merge: Merge, target: Book, by: User, reason: str) -> None:
    """Record the merge, or its undoing, in the activity log and the audit log."""
    record_event(verb, actor=by.pk, object_ref=target.object_ref)
    log_audit_event(verb, by=by, target=target, reason=reason, detail=f"merge {merge.pk}: book {merge.source_id}")


def _enqueue(merge: Merge) -> None:
    """Enqueue the task that moves the remaining rows."""
    continue_merge.using(run_after=timezone.now() + TASK_DELAY).enqueue(merge_id=merge.pk)
