"""Spoiler protection: the posts whose text a user may read.

It is applied in the database, so that the text of a locked post is never loaded for the response.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import DecimalField, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from clubs.reading.choices import HUNDRED_PERCENT
from clubs.reading.guards import open_to
from clubs.reading.models import Progress
from discussions.models.reactions import SpoilerReveal

if TYPE_CHECKING:
    from accounts.models import User

ZERO_PERCENT = Decimal(0)


def readable_by(user: User) -> Q:
    """Return the condition for posts whose text `user` may read.

    These are posts without spoilers, their own, those within their progress (an unknown progress is 0, a hidden one
    counts), those they have revealed, and those about books that are open to them. Moderators have no exception.
    """
    own = Progress.objects.filter(entry=OuterRef("thread__entry"), user=user.pk).values("percent")
    progress = Coalesce(Subquery(own), Value(ZERO_PERCENT), output_field=DecimalField(max_digits=5, decimal_places=2))
    revealed = SpoilerReveal.objects.filter(post=OuterRef("pk"), user=user.pk)
    return (
        Q(spoiler_percent__isnull=True)
        | Q(author=user.pk)
        | Q(spoiler_percent__lte=progress)
        | Q(Exists(revealed))
        | open_to(user, "thread__entry")
    )


def default_spoiler_percent(entry_id: int, user: User) -> Decimal:
    """Return the default `spoiler_percent` of a user's post: their own progress.

    It is 100 if the progress is unknown, so that nothing is revealed by mistake, and if it is hidden, because
    `spoiler_percent` is public.
    """
    visible = Progress.objects.filter(entry=entry_id, user=user, hidden=False).values_list("percent", flat=True)
    percent = visible.first()
    return HUNDRED_PERCENT if percent is None else percent
