"""The rules of a reading list that need no database: statuses, their transitions, and how far a reader is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

MOST_PAGES = 50_000
MOST_MINUTES = 100_000

HUNDREDTH = Decimal("0.01")
ALL = Decimal(100)


class Status(models.TextChoices):
    """Where a book stands on a club's list."""

    PROPOSED = "proposed", _("proposed")
    PLANNED = "planned", _("planned")
    READING = "reading", _("reading")
    FINISHED = "finished", _("finished")
    DROPPED = "dropped", _("dropped")


# From each status the ones that follow. Staying where one is is no step and always allowed.
STEPS: Mapping[Status, frozenset[Status]] = {
    Status.PROPOSED: frozenset({Status.PLANNED, Status.DROPPED}),
    Status.PLANNED: frozenset({Status.PROPOSED, Status.READING, Status.DROPPED}),
    Status.READING: frozenset({Status.PLANNED, Status.FINISHED, Status.DROPPED}),
    Status.FINISHED: frozenset({Status.READING, Status.DROPPED}),
    Status.DROPPED: frozenset({Status.PROPOSED, Status.PLANNED}),
}


class Unit(models.TextChoices):
    """What a reader counts in."""

    PERCENT = "percent", _("percent")
    PAGE = "page", _("pages")
    MINUTES = "minutes", _("minutes")


def hundredths(value: Decimal) -> Decimal:
    """A percentage with two decimals, halves rounded up; never a negative zero."""
    return value.quantize(HUNDREDTH, ROUND_HALF_UP) + 0


@dataclass(frozen=True)
class Mark:
    """How far a reader says to be: so much of `total` in their own unit (`total` is 100 for percent)."""

    unit: Unit
    amount: Decimal
    total: Decimal = ALL

    @property
    def percent(self) -> Decimal:
        """The same in percent of the book. Only the whole of it is 100.00, at which a book counts as read."""
        percent = hundredths(self.amount * 100 / self.total)
        return percent if self.amount == self.total else min(percent, ALL - HUNDREDTH)
