"""Helpers for tests of statistics."""

from decimal import Decimal
from typing import Any

from accounts.models import User
from clubs.models import Entry, Progress
from clubs.reading.choices import ReadingPosition, Unit


def set_progress(entry: Entry, user: User, unit: str, amount: float, total: float = 100, **rest: Any) -> Progress:
    position = ReadingPosition(Unit(unit), Decimal(amount), Decimal(total))
    return Progress.set_progress(entry=entry, by=user, position=position, **rest)
