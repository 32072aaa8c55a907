"""Reviews archived by a book merge because their author has a newer review (see `reviews.merges`)."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from bookbridge.api.fields import KeyField


class SetAside(models.Model):
    """An archived review of a merged book whose author has a newer one.

    When the merge is undone, the review is restored with the same id. It is deleted with its author's account.
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
    # Copied from `ImportedReview` if the review was imported.
    origin = KeyField(max_length=191, blank=True)
    imported_edited_at = models.DateTimeField(null=True)
    last_import = models.PositiveBigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.review_id}"


class LikeAside(models.Model):
    """A like of an archived review."""

    of = models.ForeignKey(SetAside, models.CASCADE, related_name="likes")
    # A database constraint would lock the user after books and reviews, which violates the lock order.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.of_id}"
