"""Spoiler protection: who may read the text of which posts.

It is applied in the database, so that the text of a locked post is never loaded for the response.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import DecimalField, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from clubs.discussions.reactions import Reveal
from clubs.reading.marks import Progress
from clubs.reading.rules import ALL

if TYPE_CHECKING:
    from accounts.models import User

NOTHING_READ = Decimal(0)


def open_to(user: User) -> Q:
    """Return the condition for posts whose text `user` may read.

    These are posts without spoilers, their own, those within their progress (an unknown progress is 0, a hidden one
    counts), and those they have revealed. Moderators have no exception.
    """
    read = Progress.objects.filter(entry=OuterRef("thread__entry"), user=user.pk).values("percent")
    progress = Coalesce(Subquery(read), Value(NOTHING_READ), output_field=DecimalField(max_digits=5, decimal_places=2))
    opened = Reveal.objects.filter(post=OuterRef("pk"), user=user.pk)
    return Q(spoiler_percent__isnull=True) | Q(author=user.pk) | Q(spoiler_percent__lte=progress) | Q(Exists(opened))


def progress_to_show(entry: int, user: User) -> Decimal:
    """Return the default `spoiler_percent` of a user's post: their own progress.

    It is 100 if the progress is hidden, because `spoiler_percent` is public.
    """
    mark = Progress.objects.filter(entry=entry, user=user).values_list("percent", "hidden").first()
    if mark is None:
        return NOTHING_READ
    percent, hidden = mark
    return ALL if hidden else percent
