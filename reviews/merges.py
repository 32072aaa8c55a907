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
        # Ordered as an index is: for an order by id, the databases would read half the table for each batch.
        found = dict(rows.order_by("created_at", "pk").values_list("pk", "author")[:BATCH_SIZE])
        authors = lock_rows(User, found.values())
        if not found or not lock_books(merge, MergeStatus.MERGING):
            return False
        moving = _lock_reviews(rows.filter(pk__in=found, author__in=authors) | rows.filter(pk__in=found, author=None))
        existing = _lock_reviews(Review.objects.filter(book=merge.target_id, author__in=authors))
        older = _older_reviews(moving, existing)
        delta = RatingDelta()
        for row in {*moving, *older}:
            delta.remove_review(row)
        _archive(merge, [row.pk for row in older])
        newer = [row for row in moving if row not in older]
        Review.objects.filter(pk__in=[row.pk for row in newer]).update(book=merge.target_id)
        merge.record_moved(KIND, [row.pk for row in newer])
        for row in newer:
            row.book_id = merge.target_id
            delta.add_review(row)
        delta.save()
        return True

    @atomic_with_retry
    def undo_move(self, merge: Merge) -> bool:
        """Move the next batch back and restore archived reviews. Return False when there are none left.

        Archived reviews return together with the moved review of their author; the remaining ones come last.
        """
        moved = merge.moved_ids(KIND, BATCH_SIZE)
        rows = Review.objects.filter(pk__in=moved, book=merge.target_id).order_by("pk")
        authors = [author for author in rows.values_list("author", flat=True) if author is not None]
        archive = ArchivedReview.objects.filter(merge=merge).order_by("pk")
        candidates = archive.filter(author__in=authors) if moved else archive
        to_restore = list(candidates.values_list("pk", "author")[:BATCH_SIZE])
        likers = ArchivedLike.objects.filter(review__in=[pk for pk, _author in to_restore]).values_list(
            "user", flat=True
        )
        users = lock_rows(User, [*authors, *(author for _pk, author in to_restore), *likers])
        if not (moved or to_restore) or not lock_books(merge, MergeStatus.UNDOING):
            return False
        delta = RatingDelta()
        moving = [row for row in _lock_reviews(rows) if row.author_id is None or row.author_id in users]
        for row in moving:
            delta.remove_review(row)
            row.book_id = merge.source_id
            delta.add_review(row)
        Review.objects.filter(pk__in=[row.pk for row in moving]).update(book=merge.source_id)
        merge.clear_moved(KIND, moved)
        restored = archive.filter(pk__in=[pk for pk, _author in to_restore]).select_related("book")
        _restore(list(restored), set(users), delta)
        delta.save()
        return True

    def remaining(self, merge: Merge) -> int:
        """Return how many reviews are left to move; when undoing, also count archived ones."""
        if merge.status == MergeStatus.MERGING:
            return Review.objects.filter(book=merge.source_id).count()
        return merge.moved.filter(kind=KIND).count() + ArchivedReview.objects.filter(merge=merge).count()


def _last_edited_at(review: Review) -> datetime.datetime:
    # A review without a date is older than any other.
    return review.edited_at or review.created_at or datetime.datetime.min.replace(tzinfo=datetime.UTC)


def _older_reviews(moving: Sequence[Review], existing: Sequence[Review]) -> list[Review]:
    """Return the older one of each pair of reviews by the same author."""
    by_author = {review.author_id: review for review in existing if review.author_id}
    pairs = [(review, by_author[review.author_id]) for review in moving if review.author_id in by_author]
    return [other if _last_edited_at(review) > _last_edited_at(other) else review for review, other in pairs]


def _lock_reviews(rows: QuerySet[Review]) -> list[Review]:
    """Lock the reviews and load the columns that the counters need."""
    return list(rows.select_for_update().order_by("pk").only(*COUNTED_FIELDS, "edited_at"))


def _archive(merge: Merge, pks: Sequence[int]) -> None:
    reviews = list(Review.objects.filter(pk__in=pks).select_related("book").order_by("pk"))
    imported = {row.review_id: row for row in ImportedReview.objects.filter(review__in=pks)}
    ArchivedReview.objects.bulk_create(_to_archived(merge, review, imported.get(review.pk)) for review in reviews)
    archived_ids = dict(ArchivedReview.objects.filter(review_id__in=pks).values_list("review_id", "pk"))
    likes = Like.objects.filter(review__in=pks).values_list("review", "user", "created_at")
    ArchivedLike.objects.bulk_create(
        (ArchivedLike(review_id=archived_ids[pk], user_id=user, created_at=at) for pk, user, at in likes), 500
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


def _restore(archive: Sequence[ArchivedReview], user_ids: set[int], delta: RatingDelta) -> None:
    """Restore archived reviews, unless the author has since written another review of the book.

    `user_ids` are the users who still exist.
    """
    restorable = [row for row in _not_reviewed_again(archive) if row.author_id in user_ids]
    likes = list(ArchivedLike.objects.filter(review__in=restorable, user__in=user_ids).select_related("review"))
    liked = Counter(like.review_id for like in likes)
    reviews = [_from_archived(row, likes_count=liked[row.pk]) for row in restorable]
    Review.objects.bulk_create(reviews)
    Like.objects.bulk_create(
        (Like(review_id=like.review.review_id, user_id=like.user_id, created_at=like.created_at) for like in likes), 500
    )
    ImportedReview.objects.bulk_create(_imported_from_archived(row) for row in restorable if row.origin)
    for review in reviews:
        delta.add_review(review)
        _log("review.brought_back", review)
    ArchivedReview.objects.filter(pk__in=[row.pk for row in archive]).delete()


def _not_reviewed_again(archive: Sequence[ArchivedReview]) -> list[ArchivedReview]:
    books, authors = {row.book_id for row in archive}, {row.author_id for row in archive}
    existing = Review.objects.filter(book__in=books, author__in=authors)
    taken = set(existing.values_list("book", "author"))
    return [row for row in archive if (row.book_id, row.author_id) not in taken]


def _from_archived(row: ArchivedReview, *, likes_count: int) -> Review:
    values = {name: getattr(row, name) for name in ARCHIVED_FIELDS}
    return Review(pk=row.review_id, book=row.book, author_id=row.author_id, likes_count=likes_count, **values)


def _imported_from_archived(row: ArchivedReview) -> ImportedReview:
    return ImportedReview(
        review_id=row.review_id, origin=row.origin, edited_at=row.imported_edited_at, last_import=row.last_import or 0
    )


def _log(verb: str, review: Review) -> None:
    """Record an event without an actor for the author, because staff merged the books."""
    record_event(verb, actor=None, object_ref=review.object_ref, subject=review.author_id)
