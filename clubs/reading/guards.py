"""Conditions that open the spoiler guards of a book regardless of the user's progress."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q

from clubs.reading.choices import HUNDRED_PERCENT
from clubs.reading.models.consents import SpoilerConsent
from core.registry import guard_openers, progress_changes

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import User


def open_to(user: User, entry: str) -> Q:
    """Return the condition that the guards about the entry in column `entry` are open to `user`."""
    consent = Q(Exists(SpoilerConsent.objects.filter(entry=OuterRef(entry), user=user.pk)))
    return reduce(or_, (opener(user, entry) for opener in guard_openers.values()), consent)


def percent_changes(user_id: int, entries: Collection[int], before: Decimal, after: Decimal) -> list[Any]:
    """Return the changes of objects that are locked or unlocked for a user whose progress goes from one to the other.

    An open guard is progress of 100 %.
    """
    low, high = sorted((before, after))
    if low == high:
        return []
    return [query for find in progress_changes.values() for query in find(user_id, entries, low, high)]


def open_changes(user_id: int, entries: Collection[int]) -> list[Any]:
    """Return the changes of all guarded objects, when the guards about these entries are opened or closed."""
    return percent_changes(user_id, entries, Decimal(0), HUNDRED_PERCENT)
