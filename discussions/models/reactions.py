"""Emoji reactions to posts, and reveals of locked posts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, F, Max, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from emoji import EMOJI_DATA, STATUS

from core.db.fields import BinaryCollationCharField

if TYPE_CHECKING:
    from accounts.models import User

# Limit of different emoji on one post.
MAX_DISTINCT_EMOJI = 50
# In code points; the longest emoji in use have ten.
EMOJI_LENGTH = 20


def emoji_key(text: str) -> str:
    """Return the form in which emoji are compared: without variation selectors."""
    return text.replace("\ufe0e", "").replace("\ufe0f", "")


def qualify_emoji(text: str) -> str | None:
    """Return the fully qualified form of one emoji (UTS 51), or None if the text is anything else.

    Keyboards and pickers add variation selectors in different places, or leave them out.
    """
    return _qualified_forms().get(emoji_key(text))


@cache
def _qualified_forms() -> dict[str, str]:
    qualified = (STATUS["fully_qualified"], STATUS["component"])
    return {emoji_key(text): text for text, data in EMOJI_DATA.items() if data["status"] in qualified}


class ReactionQuerySet(models.QuerySet["Reaction"]):
    """Queries for reactions."""

    def counted_by_emoji(self, user: User) -> ReactionQuerySet:
        """Return one row per post and emoji, in the order of first use, annotated with `count` and `is_own`."""
        per_emoji: Any = {"partition_by": [F("post"), F("key")]}
        own = Case(When(user=user.pk, then=Value(1)), default=Value(0))
        rows = self.annotate(
            count=Window(Count("pk"), **per_emoji),
            is_own=Window(Max(own), **per_emoji),
            row_number=Window(RowNumber(), order_by=F("pk").asc(), **per_emoji),
        )
        return rows.filter(row_number=1).order_by("pk")


class Reaction(models.Model):
    """A user's reaction to a post, at most one per emoji.

    `emoji` is fully qualified (`qualify_emoji`), `key` identifies it (`emoji_key`).
    """

    post = models.ForeignKey("discussions.Post", models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    emoji = BinaryCollationCharField(max_length=EMOJI_LENGTH)
    key = BinaryCollationCharField(max_length=EMOJI_LENGTH, verbose_name=_("key"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    objects = ReactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = [models.UniqueConstraint(fields=["post", "key", "user"], name="discussions_reaction_once")]

    def __str__(self) -> str:
        return f"{self.emoji} {self.post_id}"


class SpoilerReveal(models.Model):
    """A post revealed by a user, permanently and regardless of their progress."""

    post = models.ForeignKey("discussions.Post", models.CASCADE, related_name="reveals", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    class Meta:
        verbose_name = _("revealed post")
        verbose_name_plural = _("revealed posts")
        constraints = [models.UniqueConstraint(fields=["post", "user"], name="discussions_reveal_once")]

    def __str__(self) -> str:
        return f"{self.post_id} for {self.user_id}"
