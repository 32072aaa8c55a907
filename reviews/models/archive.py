"""Reviews archived by a book merge because their author has a newer review (see `reviews.merges`)."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import BinaryCollationCharField


class ArchivedReview(models.Model):
    """An archived review of a merged book whose author has a newer one.

    When the merge is undone, the review is restored with the same id. It is deleted with its author's account.
    """

    merge = models.ForeignKey("catalog.Merge", models.CASCADE, related_name="+")
    review_id = models.BigIntegerField(unique=True)
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="+", verbose_name=_("book"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("author"))
    rating = models.PositiveSmallIntegerField(null=True)
    title = models.CharField(max_length=200, blank=True, verbose_name=_("title"))
    body = models.TextField(blank=True, verbose_name=_("body"))
    contains_spoilers = models.BooleanField(default=False, verbose_name=_("contains spoilers"))
    language = BinaryCollationCharField(max_length=12, blank=True, verbose_name=_("language"))
    visibility = models.CharField(max_length=10, verbose_name=_("visibility"))
    hidden_at = models.DateTimeField(null=True, verbose_name=_("hidden at"))
    created_at = models.DateTimeField(null=True, verbose_name=_("created at"))
    edited_at = models.DateTimeField(null=True, verbose_name=_("edited at"))
    # Copied from `ImportedReview` if the review was imported.
    origin = BinaryCollationCharField(max_length=191, blank=True, verbose_name=_("origin"))
    imported_edited_at = models.DateTimeField(null=True)
    last_import = models.PositiveBigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.review_id}"


class ArchivedLike(models.Model):
    """A like of an archived review."""

    review = models.ForeignKey(ArchivedReview, models.CASCADE, related_name="likes")
    # A database constraint would lock the user after books and reviews, which violates the lock order.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("user")
    )
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.review_id}"
