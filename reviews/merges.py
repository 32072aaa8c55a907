"""Merge handler for reviews.

Reviews move to the target book. If a user has reviewed both books, the newer review stays and the older one is archived
with its likes; it is excluded from all lists and counters, and restored if the merge is undone.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from activity.services import record_event
from catalog.merges.runner import lock_books
from catalog.models import Merge, MergeStatus
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from reviews.counters import RatingDelta
from reviews.models import ArchivedLike, ArchivedReview, ImportedReview, Like, Review
from reviews.querysets import COUNTED_FIELDS

# Reviews moved per transaction, which locks both books.
BATCH_SIZE = 200
KIND = "review"
ARCHIVED_FIELDS = (
    *("rating", "title", "body", "contains_spoilers", "language", "visibility", "hidden_at"),
    *("created_at", "edited_at"),
)


class ReviewMergeHandler:
    """Moves the reviews of a merged book."""

    @atomic_with_retry
    def move(self, merge: Merge) -> bool:
        """Move the next batch of reviews to the target book. Return False when there are none left."""
        rows = Review.objects.filter(book=merge.source_id)
        # Ordered like an index: ordered by id, the databases would read half the table for each batch.
        found = dict(rows.order_by("created_at", "pk").values_list("pk", "author")[:BATCH_SIZE])
        authors = lock_rows(User, found.values())
        if not found or not lock_books(merge, MergeStatus.MERGING):
            return False
        moving = _read(rows.filter(pk__in=found, author__in=authors) | rows.filter(pk__in=found, author=None))
        there = {row.author_id: row for row in _read(Review.objects.filter(book=merge.target_id, author__in=authors))}
        tally, older = RatingDelta(), []
        for row in moving:
            other = there.get(row.author_id) if row.author_id else None
            tally.count(row, -1)
            if other is None:
                continue
            if _last_edited_at(row) > _last_edited_at(other):
                tally.count(other, -1)
                older.append(other)
            else:
                older.append(row)
        _archive(merge, [row.pk for row in older])
        newer = [row for row in moving if row not in older]
        Review.objects.filter(pk__in=[row.pk for row in newer]).update(book=merge.target_id)
        merge.record_moved(KIND, [row.pk for row in newer])
        for row in newer:
            row.book_id = merge.target_id
            tally.count(row, +1)
        tally.save()
        return True

    @atomic_with_retry
    def undo_move(self, merge: Merge) -> bool:
        """Move the next batch back and restore archived reviews. Return False when there are none left.

        Archived reviews return together with the moved review of their author; the remaining ones come last.
        """
        noted = merge.moved_ids(KIND, BATCH_SIZE)
        rows = Review.objects.filter(pk__in=noted, book=merge.target_id).order_by("pk")
        authors = [author for author in rows.values_list("author", flat=True) if author is not None]
        aside = ArchivedReview.objects.filter(merge=merge).order_by("pk")
        wanted = aside.filter(author__in=authors) if noted else aside
        returning = list(wanted.values_list("pk", "author")[:BATCH_SIZE])
        likers = ArchivedLike.objects.filter(review__in=[pk for pk, _author in returning]).values_list(
            "user", flat=True
        )
        users = lock_rows(User, [*authors, *(author for _pk, author in returning), *likers])
        if not (noted or returning) or not lock_books(merge, MergeStatus.UNDOING):
            return False
        tally = RatingDelta()
        moving = [row for row in _read(rows) if row.author_id is None or row.author_id in users]
        for row in moving:
            tally.count(row, -1)
            row.book_id = merge.source_id
            tally.count(row, +1)
        Review.objects.filter(pk__in=[row.pk for row in moving]).update(book=merge.source_id)
        merge.clear_moved(KIND, noted)
        again = aside.filter(pk__in=[pk for pk, _author in returning]).select_related("book")
        _restore(list(again), set(users), tally)
        tally.save()
        return True

    def remaining(self, merge: Merge) -> int:
        """Return how many reviews are left to move; when undoing, also count archived ones."""
        if merge.state == MergeStatus.MERGING:
            return Review.objects.filter(book=merge.source_id).count()
        return merge.moved.filter(kind=KIND).count() + ArchivedReview.objects.filter(merge=merge).count()


def _last_edited_at(review: Review) -> datetime.datetime:
    return review.edited_at or review.created_at


def _read(rows: QuerySet[Review]) -> list[Review]:
    """Lock the reviews and load the columns that the counters need."""
    return list(rows.select_for_update().order_by("pk").only(*COUNTED_FIELDS, "edited_at"))


def _archive(merge: Merge, pks: Sequence[int]) -> None:
    reviews = list(Review.objects.filter(pk__in=pks).select_related("book").order_by("pk"))
    imported = {row.review_id: row for row in ImportedReview.objects.filter(review__in=pks)}
    ArchivedReview.objects.bulk_create(_to_archived(merge, review, imported.get(review.pk)) for review in reviews)
    aside = dict(ArchivedReview.objects.filter(review_id__in=pks).values_list("review_id", "pk"))
    likes = Like.objects.filter(review__in=pks).values_list("review", "user", "created_at")
    ArchivedLike.objects.bulk_create(
        (ArchivedLike(review_id=aside[pk], user_id=user, created_at=at) for pk, user, at in likes), 500
    )
    for review in reviews:
        _log("review.set_aside", review)
    Review.objects.filter(pk__in=pks).delete()


def _to_archived(merge: Merge, review: Review, imported: ImportedReview | None) -> ArchivedReview:
    values = {name: getattr(review, name) for name in ARCHIVED_FIELDS}
    if imported is not None:
        values |= {
            "origin": imported.origin,
            "imported_edited_at": imported.edited_at,
            "last_import": imported.last_import,
        }
    names: dict[str, Any] = {"review_id": review.pk, "book_id": review.book_id, "author_id": review.author_id}
    return ArchivedReview(merge=merge, **names, **values)


def _restore(aside: Sequence[ArchivedReview], user_ids: set[int], tally: RatingDelta) -> None:
    """Restore archived reviews, unless the author has since written another review of the book.

    `user_ids` are the users who still exist.
    """
    existing = Review.objects.filter(
        book__in={one.book_id for one in aside}, author__in={one.author_id for one in aside}
    )
    taken = set(existing.values_list("book", "author"))
    back = [one for one in aside if (one.book_id, one.author_id) not in taken and one.author_id in user_ids]
    likes = list(ArchivedLike.objects.filter(review__in=back, user__in=user_ids).select_related("review"))
    liked = Counter(like.review_id for like in likes)
    reviews = {}
    for one in back:
        values = {name: getattr(one, name) for name in ARCHIVED_FIELDS} | {"likes_count": liked[one.pk]}
        reviews[one.pk] = Review(pk=one.review_id, book=one.book, author_id=one.author_id, **values)
        tally.count(reviews[one.pk], +1)
    Review.objects.bulk_create(reviews.values())
    Like.objects.bulk_create(
        (Like(review_id=like.review.review_id, user_id=like.user_id, created_at=like.created_at) for like in likes), 500
    )
    ImportedReview.objects.bulk_create(
        ImportedReview(
            review_id=one.review_id,
            origin=one.origin,
            edited_at=one.imported_edited_at,
            last_import=one.last_import or 0,
        )
        for one in back
        if one.origin
    )
    for review in reviews.values():
        _log("review.brought_back", review)
    ArchivedReview.objects.filter(pk__in=[one.pk for one in aside]).delete()


def _log(verb: str, review: Review) -> None:
    """Record an event without an actor for the author, because staff merged the books."""
    record_event(verb, actor=None, object_ref=review.object_ref, subject=review.author_id)
