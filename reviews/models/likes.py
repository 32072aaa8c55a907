"""Likes of reviews, created by `Review.like`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _


class Like(models.Model):
    """A like of a review by a user."""

    review = models.ForeignKey("reviews.Review", models.CASCADE, related_name="likes", db_index=False)
    # CASCADE would not update the counter of the review; `ReviewQuerySet.detach_user` does.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="review_likes", verbose_name=_("user")
    )
    created_at = models.DateTimeField(default=now, editable=False, verbose_name=_("created at"))

    class Meta:
        verbose_name = _("like")
        verbose_name_plural = _("likes")
        constraints = [models.UniqueConstraint(fields=["review", "user"], name="reviews_like_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.review_id}"
