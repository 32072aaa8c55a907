"""Choices and rules of reading lists: statuses, their transitions, and reading positions."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2100, 12, 31)
MAX_PAGES = 50_000
MAX_MINUTES = 100_000

HUNDREDTH = Decimal("0.01")
HUNDRED_PERCENT = Decimal(100)


class EntryStatus(models.TextChoices):
    """Status of a book on a reading list."""

    PROPOSED = "proposed", _("proposed")
    PLANNED = "planned", _("planned")
    READING = "reading", _("reading")
    FINISHED = "finished", _("finished")
    DROPPED = "dropped", _("dropped")


# The club has stopped reading the book, so that it may be listed again.
CLOSED_STATUSES = (EntryStatus.FINISHED, EntryStatus.DROPPED)

# Allowed status changes. Setting the current status again is always allowed.
TRANSITIONS: Mapping[EntryStatus, frozenset[EntryStatus]] = {
    EntryStatus.PROPOSED: frozenset({EntryStatus.PLANNED, EntryStatus.DROPPED}),
    EntryStatus.PLANNED: frozenset({EntryStatus.PROPOSED, EntryStatus.READING, EntryStatus.DROPPED}),
    EntryStatus.READING: frozenset({EntryStatus.PLANNED, EntryStatus.FINISHED, EntryStatus.DROPPED}),
    EntryStatus.FINISHED: frozenset({EntryStatus.READING, EntryStatus.DROPPED}),
    EntryStatus.DROPPED: frozenset({EntryStatus.PROPOSED, EntryStatus.PLANNED}),
}


class Unit(models.TextChoices):
    """Unit of reading progress."""

    PERCENT = "percent", _("percent")
    PAGE = "page", _("pages")
    MINUTES = "minutes", _("minutes")
    SECTION = "section", _("sections")


def round_percent(value: Decimal) -> Decimal:
    """Round a percentage half up to two decimals, without a negative zero."""
    return value.quantize(HUNDREDTH, ROUND_HALF_UP) + 0


@dataclass(frozen=True)
class ReadingPosition:
    """A reading position: `amount` of `total` in the user's own unit (`total` is 100 for percent).

    Sections differ in length, so `up_to_percent` is where the last one read ends.
    """

    unit: Unit
    amount: Decimal
    total: Decimal = HUNDRED_PERCENT
    up_to_percent: Decimal | None = None

    @property
    def percent(self) -> Decimal:
        """Position in percent. Only the end of the book is 100.00, which counts as read."""
        if self.up_to_percent is not None:
            return self.up_to_percent
        percent = round_percent(self.amount * 100 / self.total)
        return percent if self.amount == self.total else min(percent, HUNDRED_PERCENT - HUNDREDTH)
