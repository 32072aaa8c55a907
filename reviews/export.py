"""Data export of reviews, likes and imports."""

from rest_framework import serializers

from accounts.export import ExportRows, Row, iter_rows
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


def reviews(user: User) -> ExportRows:
    """Return all reviews of the user, including private ones; ratings in stars."""
    return _in_stars(iter_rows(Review.objects.filter(author=user), *REVIEW_FIELDS, book_title="book__title"))


def archived_reviews(user: User) -> ExportRows:
    """Return the archived reviews of the user, replaced by a newer one when two books were merged."""
    return _in_stars(
        iter_rows(ArchivedReview.objects.filter(author=user), *ARCHIVED_REVIEW_FIELDS, book_title="book__title")
    )


def archived_likes(user: User) -> ExportRows:
    """Return the user's likes of archived reviews, with the id that the review had."""
    rows = iter_rows(ArchivedLike.objects.filter(user=user), "created_at", original_id="review__review_id")
    likes = ({"id": row["id"], "created_at": row["created_at"], "review": row["original_id"]} for row in rows)
    ids = {name: serializers.IntegerField() for name in ("id", "review")}
    return ExportRows(likes, get_fields=lambda: {**ids, "created_at": serializers.DateTimeField()})


def imports(user: User) -> ExportRows:
    """Return the user's imports, with the lines that failed, and how often each remark was made."""
    rows = iter_rows(ReviewImport.objects.filter(user=user), *IMPORT_FIELDS, done="rows_processed")
    remarks = serializers.DictField(child=serializers.IntegerField())
    return rows.map(_with_named_errors, errors=ExportedImportErrorSerializer(many=True), remarks=remarks)


def _with_named_errors(row: Row) -> Row:
    return {**row, "errors": [{"line": line, "code": code} for line, code in row["errors"]]}


def _in_stars(rows: ExportRows) -> ExportRows:
    return rows.map(_convert_rating, rating=serializers.FloatField(allow_null=True))


def _convert_rating(row: Row) -> Row:
    return {**row, "rating": None if row["rating"] is None else row["rating"] / 2}


class ExportedImportErrorSerializer(serializers.Serializer[ReviewImport]):
    """A line of an imported file that failed, and why."""

    line = serializers.IntegerField()
    code = serializers.CharField()


EXPORT_SECTIONS = {
    "reviews": reviews,
    "archived_reviews": archived_reviews,
    "archived_likes": archived_likes,
    "likes": lambda user: iter_rows(Like.objects.filter(user=user), "review", "created_at"),
    "imports": imports,
}
