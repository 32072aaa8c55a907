"""Spoiler protection: the posts whose text a user may read.

It is applied in the database, so that the text of a locked post is never loaded for the response.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import DecimalField, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from clubs.reading.choices import HUNDRED_PERCENT
from clubs.reading.models import Progress
from discussions.models.reactions import SpoilerReveal

if TYPE_CHECKING:
    from accounts.models import User

ZERO_PERCENT = Decimal(0)


def readable_by(user: User) -> Q:
    """Return the condition for posts whose text `user` may read.

    These are posts without spoilers, their own, those within their progress (an unknown progress is 0, a hidden one
    counts), and those they have revealed. Moderators have no exception.
    """
    own = Progress.objects.filter(entry=OuterRef("thread__entry"), user=user.pk).values("percent")
    progress = Coalesce(Subquery(own), Value(ZERO_PERCENT), output_field=DecimalField(max_digits=5, decimal_places=2))
    revealed = SpoilerReveal.objects.filter(post=OuterRef("pk"), user=user.pk)
    return Q(spoiler_percent__isnull=True) | Q(author=user.pk) | Q(spoiler_percent__lte=progress) | Q(Exists(revealed))


def default_spoiler_percent(entry_id: int, user: User) -> Decimal:
    """Return the default `spoiler_percent` of a user's post: their own progress.

    It is 100 if the progress is hidden, because `spoiler_percent` is public.
    """
    progress = Progress.objects.filter(entry=entry_id, user=user).values_list("percent", "hidden").first()
    if progress is None:
        return ZERO_PERCENT
    percent, hidden = progress
    return HUNDRED_PERCENT if hidden else percent
