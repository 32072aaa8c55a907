"""When a member was last active in a club, for others to see: `Membership.last_active_at`.

It is the latest of what `sources` know: marks that are shown, public reviews, posts, answers to meetings. What is
hidden, private or deleted is in none of them, so that it moves no figure: neither does a post that moderation has
hidden, nor an answer that was taken back, or whose meeting was removed. Nor do votes: they are secret and bear no time,
and the figure would tell of them. A post counts from when it was written, whatever is edited later; an answer from when
it was last changed. Whoever writes it holds the membership's row.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from django.db.models import Case, DateTimeField, F, Value, When

from bookbridge.api.rows import batches
from clubs.members.models import Membership

# How many rows one statement moves.
BATCH = 500

# What counts as activity: a word for it -> an expression in a query of memberships for when the reader last did such a
# thing (None: never). A room puts its own here, else `verify_figures` would not know of it.
sources: dict[str, Callable[[], Any]] = {}


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
        settle(list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)))


def settle(memberships: Sequence[int]) -> None:
    """Set what these rows should hold. For who holds them, or has the tables to themselves."""
    for pks in batches(memberships, BATCH):
        moved = [Membership(pk=pk, last_active_at=right) for pk, stored, right in _compared(pks) if stored != right]
        Membership.objects.bulk_update(moved, ["last_active_at"])


def count(memberships: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What `last_active_at` of these rows should be, where it is not None."""
    return {pk: {"last_active_at": right} for pk, _stored, right in _compared(memberships) if right}


Moment = datetime.datetime | None


def _compared(memberships: Sequence[int]) -> Iterator[tuple[int, Moment, Moment]]:
    """Of each of these rows what it holds and what it should."""
    found = Membership.objects.filter(pk__in=memberships).order_by()
    known = {f"last_{name}": known() for name, known in sources.items()}
    for pk, stored, *moments in found.annotate(**known).values_list("pk", "last_active_at", *known):
        yield pk, stored, max((moment for moment in moments if moment), default=None)
