"""Reviews that are out of sight since their author has a newer one of the same work (`reviews.merging`)."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from bookbridge.api.fields import KeyField


class SetAside(models.Model):
    """A review whose author has written a newer one of the same work, as it was.

    Its id is its own again when it returns. It goes with its author's account.
    """

    merge = models.ForeignKey("catalog.Merge", models.CASCADE, related_name="+")
    review_id = models.BigIntegerField(unique=True)
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    rating = models.PositiveSmallIntegerField(null=True)
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    contains_spoilers = models.BooleanField(default=False)
    language = KeyField(max_length=12, blank=True)
    visibility = models.CharField(max_length=10)
    hidden_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    # Where an import had brought it (`reviews.importing.models.ImportedReview`).
    origin = KeyField(max_length=191, blank=True)
    imported_edited_at = models.DateTimeField(null=True)
    last_import = models.PositiveBigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.review_id}"


class LikeAside(models.Model):
    """A like of a review that is set aside."""

    of = models.ForeignKey(SetAside, models.CASCADE, related_name="likes")
    # No constraint: it would lock the reader's row after those of books and reviews, against everybody's order.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.of_id}"
