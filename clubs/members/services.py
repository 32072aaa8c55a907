"""Computation of `Membership.last_active_at`.

It is the latest of the registered sources: visible reading progress, public reviews, posts and RSVPs. Content that is
hidden, private, withdrawn or deleted does not count. Votes do not count either, because they are secret and this date
would reveal them. A post counts by its creation date, an RSVP by its last change. The membership must be locked before
the column is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from django.db.models import Case, DateTimeField, F, Value, When

from bookbridge.api.rows import batches
from clubs.members.models import Membership

# Rows per UPDATE statement.
BATCH = 500

# By name: a function that returns an expression, for a query of memberships, with the time of the user's last activity
# of that kind. Apps register theirs here, so that `verify_counters` includes them.
sources: dict[str, Callable[[], Any]] = {}


def was_active(user: int, *, at: datetime.datetime, club: int | None = None) -> None:
    """Record a visible activity at time `at`, in one club or in all clubs of the user.

    Call it after the content was written, in the same transaction.
    """
    rows = Membership.objects.filter(user=user) if club is None else Membership.objects.filter(user=user, club=club)
    # Update rows with a later date too, instead of excluding them: the update locks them, so that a concurrent
    # `recompute_activity` waits for this transaction.
    later = When(last_active_at__gt=at, then=F("last_active_at"))
    rows.update(last_active_at=Case(later, default=Value(at, DateTimeField()), output_field=DateTimeField()))


def was_not_active(users: Collection[int], *, club: int | None = None) -> None:
    """Recompute `last_active_at` of these users after content was hidden or deleted."""
    for wanted in batches(sorted(users), BATCH):
        rows = Membership.objects.filter(user__in=wanted)
        rows = rows if club is None else rows.filter(club=club)
        settle(list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)))


def settle(memberships: Sequence[int]) -> None:
    """Recompute these memberships. They must be locked, or not in use by anyone else."""
    for pks in batches(memberships, BATCH):
        moved = [Membership(pk=pk, last_active_at=right) for pk, stored, right in _compared(pks) if stored != right]
        Membership.objects.bulk_update(moved, ["last_active_at"])


def count(memberships: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the expected `last_active_at` of these memberships, where it is not None."""
    return {pk: {"last_active_at": right} for pk, _stored, right in _compared(memberships) if right}


Moment = datetime.datetime | None


def _compared(memberships: Sequence[int]) -> Iterator[tuple[int, Moment, Moment]]:
    """Yield the id, the stored value and the expected value of these memberships."""
    found = Membership.objects.filter(pk__in=memberships).order_by()
    known = {f"last_{name}": known() for name, known in sources.items()}
    for pk, stored, *moments in found.annotate(**known).values_list("pk", "last_active_at", *known):
        yield pk, stored, max((moment for moment in moments if moment), default=None)
