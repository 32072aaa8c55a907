"""Models of the reviews app."""

from reviews.models.archive import ArchivedLike, ArchivedReview
from reviews.models.imports import ImportedReview, ImportQuerySet, ImportReport, ReviewImport, SupersededError
from reviews.models.likes import Like
from reviews.models.reviews import BODY_LENGTH, Review

__all__ = [
    "BODY_LENGTH",
    "ArchivedLike",
    "ArchivedReview",
    "ImportQuerySet",
    "ImportReport",
    "ImportedReview",
    "Like",
    "Review",
    "ReviewImport",
    "SupersededError",
]
