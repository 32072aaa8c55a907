"""When a member was last active in a club, for others to see: `Membership.last_active_at`.

It is the latest of what `activity_sources` of the registry know: marks that are shown, public reviews, posts, answers
to meetings. What is
hidden, private or deleted is in none of them, so that it moves no figure: neither does a post that moderation has
hidden, nor an answer that was taken back, or whose meeting was removed. Nor do votes: they are secret and bear no time,
and the figure would tell of them. A post counts from when it was written, whatever is edited later; an answer from when
it was last changed. Whoever writes it holds the membership's row.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.db.models import Case, DateTimeField, F, Value, When

from bookbridge.api.rows import batches
from clubs.members.models import BATCH, Membership


def was_active(user: int, *, at: datetime.datetime, club: int | None = None) -> None:
    """Note that a reader did something at a moment that others see, in one club, or in each they have to do with.

    For whoever has just written what a source will find, in the same transaction, until whose end the rows are held.
    """
    rows = Membership.objects.filter(user=user) if club is None else Membership.objects.filter(user=user, club=club)
    # A later moment stays, but its row is written too: one that a WHERE leaves out would not be held, and whoever looks
    # again meanwhile (`was_not_active`) would not wait for what is written here.
    later = When(last_active_at__gt=at, then=F("last_active_at"))
    rows.update(last_active_at=Case(later, default=Value(at, DateTimeField()), output_field=DateTimeField()))


def was_not_active(users: Collection[int], *, club: int | None = None) -> None:
    """Look again when these readers were active, after something they did has been hidden or deleted."""
    for wanted in batches(sorted(users), BATCH):
        rows = Membership.objects.filter(user__in=wanted)
        rows = rows if club is None else rows.filter(club=club)
        Membership.objects.refresh_last_active(
            list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        )
