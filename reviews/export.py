"""Data export of reviews, likes and imports."""

from collections.abc import Iterable, Iterator
from typing import Any

from accounts.export import iter_rows
from accounts.models import User
from reviews.models import ArchivedLike, ArchivedReview, Like, Review, ReviewImport

REVIEW_FIELDS = (
    *("book", "rating", "title", "body", "contains_spoilers", "language", "visibility", "likes_count"),
    *("created_at", "edited_at", "hidden_at"),
)
ARCHIVED_REVIEW_FIELDS = (
    *("review_id", "book", "rating", "title", "body", "contains_spoilers", "language", "visibility"),
    *("created_at", "edited_at", "hidden_at", "origin"),
)
IMPORT_FIELDS = (
    *("source", "visibility", "status", "failure", "rows", "created", "updated", "skipped", "failed"),
    *("errors", "remarks", "created_at", "ended_at"),
)


def reviews(user: User) -> Iterator[dict[str, Any]]:
    """Yield all reviews of the user, including private ones; ratings in stars."""
    return _in_stars(iter_rows(Review.objects.filter(author=user), *REVIEW_FIELDS, book_title="book__title"))


def archived_reviews(user: User) -> Iterator[dict[str, Any]]:
    """Yield the archived reviews of the user, replaced by a newer one when two books were merged."""
    return _in_stars(
        iter_rows(ArchivedReview.objects.filter(author=user), *ARCHIVED_REVIEW_FIELDS, book_title="book__title")
    )


def archived_likes(user: User) -> Iterator[dict[str, Any]]:
    """Yield the user's likes of archived reviews, with the id that the review had."""
    for row in iter_rows(ArchivedLike.objects.filter(user=user), "created_at", original_id="review__review_id"):
        yield {"id": row["id"], "created_at": row["created_at"], "review": row["original_id"]}


def _in_stars(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row | {"rating": None if row["rating"] is None else row["rating"] / 2}


EXPORT_SECTIONS = {
    "reviews": reviews,
    "archived_reviews": archived_reviews,
    "archived_likes": archived_likes,
    "likes": lambda user: iter_rows(Like.objects.filter(user=user), "review", "created_at"),
    "imports": lambda user: iter_rows(ReviewImport.objects.filter(user=user), *IMPORT_FIELDS, done="rows_processed"),
}
