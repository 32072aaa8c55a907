"""What merging two books does to their reviews: they move, and of two by one reader the newer stays.

The older one is set aside with its likes, out of every list and figure, and comes back where the merge is undone.
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
from catalog.merging.moving import hold_books
from reviews.aside import LikeAside, SetAside
from reviews.figures import Tally
from reviews.importing.models import ImportedReview
from reviews.likes import Like
from reviews.models import Review
from reviews.querysets import COUNTED

# How many reviews one transaction moves: it holds both books for as long.
BATCH = 200
KIND = "review"
KEPT = (
    *("rating", "title", "body", "contains_spoilers", "language", "visibility", "hidden_at"),
    *("created_at", "edited_at"),
)


class Reviews:
    """Reviews, as a part of a merge."""

    @retrying_atomic
    def move(self, merge: Merge) -> bool:
        """The next ones of the book that goes, each with its author's other one, if there is one."""
        rows = Review.objects.filter(book=merge.gone_id)
        # As an index has them: by their ids, the databases would read half the table for each step.
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
        """The next of those that were moved, with what was set aside of their authors; then the rest of that."""
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
        """Reviews of the book that goes; on the way back those noted and those set aside."""
        if merge.state == State.MERGING:
            return Review.objects.filter(book=merge.gone_id).count()
        return merge.moved.filter(kind=KIND).count() + SetAside.objects.filter(merge=merge).count()


def _written(review: Review) -> datetime.datetime:
    return review.edited_at or review.created_at


def _read(rows: QuerySet[Review]) -> list[Review]:
    """Locked, as far as counting needs them."""
    return list(rows.select_for_update().order_by("pk").only(*COUNTED, "edited_at"))


def _set_aside(merge: Merge, pks: Sequence[int]) -> None:
    reviews = list(Review.objects.filter(pk__in=pks).select_related("book").order_by("pk"))
    brought = {row.review_id: row for row in ImportedReview.objects.filter(review__in=pks)}
    SetAside.objects.bulk_create(_aside(merge, review, brought.get(review.pk)) for review in reviews)
    aside = dict(SetAside.objects.filter(review_id__in=pks).values_list("review_id", "pk"))
    likes = Like.objects.filter(review__in=pks).values_list("review", "user", "created_at")
    LikeAside.objects.bulk_create(
        (LikeAside(of_id=aside[pk], user_id=user, created_at=at) for pk, user, at in likes), 500
    )
    for review in reviews:
        _log("review.set_aside", review)
    Review.objects.filter(pk__in=pks).delete()


def _aside(merge: Merge, review: Review, brought: ImportedReview | None) -> SetAside:
    values = {name: getattr(review, name) for name in KEPT}
    if brought is not None:
        values |= {
            "origin": brought.origin,
            "imported_edited_at": brought.edited_at,
            "last_import": brought.last_import,
        }
    names: dict[str, Any] = {"review_id": review.pk, "book_id": review.book_id, "author_id": review.author_id}
    return SetAside(merge=merge, **names, **values)


def _bring_back(aside: Sequence[SetAside], people: set[int], tally: Tally) -> None:
    """Write them again, but where the author has written another of the same book since: that one stays.

    `people` are the readers who are still there.
    """
    written = Review.objects.filter(
        book__in={one.book_id for one in aside}, author__in={one.author_id for one in aside}
    )
    there = set(written.values_list("book", "author"))
    back = [one for one in aside if (one.book_id, one.author_id) not in there and one.author_id in people]
    likes = list(LikeAside.objects.filter(of__in=back, user__in=people).select_related("of"))
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
    """Into its author's own log: staff did it to both books."""
    record(verb, actor=None, thing=review.thing, subject=review.author_id)
