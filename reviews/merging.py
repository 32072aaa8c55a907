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
from activity.services import record
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import Merge, State
from catalog.merging.services import hold_books
from reviews.aside import LikeAside, SetAside
from reviews.figures import Tally
from reviews.importing.models import ImportedReview
from reviews.likes import Like
from reviews.models import Review
from reviews.querysets import COUNTED

# Reviews moved per transaction, which locks both books.
BATCH = 200
KIND = "review"
KEPT = (
    *("rating", "title", "body", "contains_spoilers", "language", "visibility", "hidden_at"),
    *("created_at", "edited_at"),
)


class Reviews:
    """Moves the reviews of a merged book."""

    @retrying_atomic
    def move(self, merge: Merge) -> bool:
        """Move the next batch of reviews to the target book. Return False when there are none left."""
        rows = Review.objects.filter(book=merge.gone_id)
        # Ordered like an index: ordered by id, the databases would read half the table for each batch.
        found = dict(rows.order_by("created_at", "pk").values_list("pk", "author")[:BATCH])
        authors = hold(User, found.values())
        if not found or not hold_books(merge, State.MERGING):
            return False
        moving = _read(rows.filter(pk__in=found, author__in=authors) | rows.filter(pk__in=found, author=None))
        there = {row.author_id: row for row in _read(Review.objects.filter(book=merge.kept_id, author__in=authors))}
        tally, older = Tally(), []
        for row in moving:
            other = there.get(row.author_id) if row.author_id else None
            tally.count(row, -1)
            if other is None:
                continue
            if _written(row) > _written(other):
                tally.count(other, -1)
                older.append(other)
            else:
                older.append(row)
        _set_aside(merge, [row.pk for row in older])
        newer = [row for row in moving if row not in older]
        Review.objects.filter(pk__in=[row.pk for row in newer]).update(book=merge.kept_id)
        merge.note(KIND, [row.pk for row in newer])
        for row in newer:
            row.book_id = merge.kept_id
            tally.count(row, +1)
        tally.write()
        return True

    @retrying_atomic
    def move_back(self, merge: Merge) -> bool:
        """Move the next batch back and restore archived reviews. Return False when there are none left.

        Archived reviews return together with the moved review of their author; the remaining ones come last.
        """
        noted = merge.noted(KIND, BATCH)
        rows = Review.objects.filter(pk__in=noted, book=merge.kept_id).order_by("pk")
        authors = [author for author in rows.values_list("author", flat=True) if author is not None]
        aside = SetAside.objects.filter(merge=merge).order_by("pk")
        wanted = aside.filter(author__in=authors) if noted else aside
        returning = list(wanted.values_list("pk", "author")[:BATCH])
        likers = LikeAside.objects.filter(of__in=[pk for pk, _author in returning]).values_list("user", flat=True)
        users = hold(User, [*authors, *(author for _pk, author in returning), *likers])
        if not (noted or returning) or not hold_books(merge, State.UNDOING):
            return False
        tally = Tally()
        moving = [row for row in _read(rows) if row.author_id is None or row.author_id in users]
        for row in moving:
            tally.count(row, -1)
            row.book_id = merge.gone_id
            tally.count(row, +1)
        Review.objects.filter(pk__in=[row.pk for row in moving]).update(book=merge.gone_id)
        merge.strike(KIND, noted)
        again = aside.filter(pk__in=[pk for pk, _author in returning]).select_related("book")
        _bring_back(list(again), set(users), tally)
        tally.write()
        return True

    def left(self, merge: Merge) -> int:
        """Return how many reviews are left to move; when undoing, also count archived ones."""
        if merge.state == State.MERGING:
            return Review.objects.filter(book=merge.gone_id).count()
        return merge.moved.filter(kind=KIND).count() + SetAside.objects.filter(merge=merge).count()


def _written(review: Review) -> datetime.datetime:
    return review.edited_at or review.created_at


def _read(rows: QuerySet[Review]) -> list[Review]:
    """Lock the reviews and load the columns that the counters need."""
    return list(rows.select_for_update().order_by("pk").only(*COUNTED, "edited_at"))


def _set_aside(merge: Merge, pks: Sequence[int]) -> None:
    reviews = list(Review.objects.filter(pk__in=pks).select_related("book").order_by("pk"))
    imported = {row.review_id: row for row in ImportedReview.objects.filter(review__in=pks)}
    SetAside.objects.bulk_create(_aside(merge, review, imported.get(review.pk)) for review in reviews)
    aside = dict(SetAside.objects.filter(review_id__in=pks).values_list("review_id", "pk"))
    likes = Like.objects.filter(review__in=pks).values_list("review", "user", "created_at")
    LikeAside.objects.bulk_create(
        (LikeAside(of_id=aside[pk], user_id=user, created_at=at) for pk, user, at in likes), 500
    )
    for review in reviews:
        _log("review.set_aside", review)
    Review.objects.filter(pk__in=pks).delete()


def _aside(merge: Merge, review: Review, imported: ImportedReview | None) -> SetAside:
    values = {name: getattr(review, name) for name in KEPT}
    if imported is not None:
        values |= {
            "origin": imported.origin,
            "imported_edited_at": imported.edited_at,
            "last_import": imported.last_import,
        }
    names: dict[str, Any] = {"review_id": review.pk, "book_id": review.book_id, "author_id": review.author_id}
    return SetAside(merge=merge, **names, **values)


def _bring_back(aside: Sequence[SetAside], user_ids: set[int], tally: Tally) -> None:
    """Restore archived reviews, unless the author has since written another review of the book.

    `user_ids` are the users who still exist.
    """
    existing = Review.objects.filter(
        book__in={one.book_id for one in aside}, author__in={one.author_id for one in aside}
    )
    taken = set(existing.values_list("book", "author"))
    back = [one for one in aside if (one.book_id, one.author_id) not in taken and one.author_id in user_ids]
    likes = list(LikeAside.objects.filter(of__in=back, user__in=user_ids).select_related("of"))
    liked = Counter(like.of_id for like in likes)
    reviews = {}
    for one in back:
        values = {name: getattr(one, name) for name in KEPT} | {"likes_count": liked[one.pk]}
        reviews[one.pk] = Review(pk=one.review_id, book=one.book, author_id=one.author_id, **values)
        tally.count(reviews[one.pk], +1)
    Review.objects.bulk_create(reviews.values())
    Like.objects.bulk_create(
        (Like(review_id=like.of.review_id, user_id=like.user_id, created_at=like.created_at) for like in likes), 500
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
    SetAside.objects.filter(pk__in=[one.pk for one in aside]).delete()


def _log(verb: str, review: Review) -> None:
    """Record an event without an actor for the author, because staff merged the books."""
    record(verb, actor=None, thing=review.thing, subject=review.author_id)
