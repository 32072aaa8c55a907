"""What a reader does with somebody's post: reacts to it with an emoji, or opens it ahead of their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, F, Max, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.fields import KeyField
from clubs.discussions.emoji import LENGTH

if TYPE_CHECKING:
    from accounts.models import User

# Different emoji on one post.
MOST_EMOJI = 50


class ReactionQuerySet(models.QuerySet["Reaction"]):
    """Rules about many reactions."""

    def tallied(self, user: User) -> ReactionQuerySet:
        """One row for each emoji of each post, in the order of their first use, with `n` and `mine`.

        `shown` is the emoji as those who sent it most fully spelled it.
        """
        same: Any = {"partition_by": [F("post"), F("key")]}
        mine = Case(When(user=user.pk, then=Value(1)), default=Value(0))
        counted = self.annotate(
            n=Window(Count("pk"), **same),
            mine=Window(Max(mine), **same),
            shown=Window(Max("emoji"), **same),
            place=Window(RowNumber(), order_by=F("pk").asc(), **same),
        )
        return counted.filter(place=1).order_by("pk")


class Reaction(models.Model):
    """That a reader has answered a post with an emoji, once for each."""

    post = models.ForeignKey("clubs.Post", models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    emoji = KeyField(max_length=LENGTH)
    key = KeyField(max_length=LENGTH)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ReactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = [models.UniqueConstraint(fields=["post", "key", "user"], name="clubs_reaction_once")]

    def __str__(self) -> str:
        return f"{self.emoji} {self.post_id}"


class Reveal(models.Model):
    """That a reader has opened a post, for good, whatever their progress."""

    post = models.ForeignKey("clubs.Post", models.CASCADE, related_name="reveals", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("opened post")
        verbose_name_plural = _("opened posts")
        constraints = [models.UniqueConstraint(fields=["post", "user"], name="clubs_reveal_once")]

    def __str__(self) -> str:
        return f"{self.post_id} for {self.user_id}"
