"""The spoiler wall: the one place that says whose text may reach whom.

It stands in the database: the text of a post that is locked for a reader is not read for their answer.
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
    """The posts whose text `user` may have.

    Those that are not guarded, their own, those up to which they have read the thread's book (an unknown progress is
    0, a hidden one counts for its reader), and those they have chosen to open. Rank changes nothing.
    """
    read = Progress.objects.filter(entry=OuterRef("thread__entry"), user=user.pk).values("percent")
    progress = Coalesce(Subquery(read), Value(NOTHING_READ), output_field=DecimalField(max_digits=5, decimal_places=2))
    opened = Reveal.objects.filter(post=OuterRef("pk"), user=user.pk)
    return Q(spoiler_percent__isnull=True) | Q(author=user.pk) | Q(spoiler_percent__lte=progress) | Q(Exists(opened))


def progress_to_show(entry: int, user: User) -> Decimal:
    """How a reader's post is guarded who does not say: by their own progress.

    By all of the book where that is hidden, since everybody sees the guard.
    """
    mark = Progress.objects.filter(entry=entry, user=user).values_list("percent", "hidden").first()
    if mark is None:
        return NOTHING_READ
    percent, hidden = mark
    return ALL if hidden else percent
