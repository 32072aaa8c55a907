"""Local times of meetings and their conversion to UTC.

A local time is a naive datetime. Its `fold` is 1 for the second of two equal times, when clocks go back. A time that
is skipped when clocks go forward is read with the offset before the change, as in RFC 5545 (3.3.5): 02:30 means 03:30.
"""

from __future__ import annotations

import datetime
from calendar import monthrange
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.api.exceptions import InvalidFieldError

MIN_START = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)
MAX_START = datetime.datetime(2101, 1, 1, tzinfo=datetime.UTC)


class Frequency(models.TextChoices):
    """How often a series of meetings repeats."""

    WEEKLY = "weekly", _("every week")
    BIWEEKLY = "biweekly", _("every two weeks")
    MONTHLY = "monthly", _("every month")


def to_local(at: datetime.datetime, zone: str) -> datetime.datetime:
    """Convert an aware datetime to the local time in `zone`."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def to_utc(local: datetime.datetime, zone: str) -> datetime.datetime:
    """Convert a local time in `zone` to UTC."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(datetime.UTC)


def out_of_range(field: str) -> InvalidFieldError:
    """Return the error for a meeting outside of the supported years."""
    return InvalidFieldError(field, "out_of_range", _("A meeting must take place between 1900 and 2100."))


def occurrences(first: datetime.datetime, repeats: dict[str, Any] | None) -> list[datetime.datetime]:
    """Return the local times of a meeting, or with `repeats` (`every`, `count`) of a series.

    Raises InvalidFieldError if the series extends beyond the year 2100.
    """
    if not repeats:
        return [first]
    try:
        starts = list(_expand(first, **repeats))
    except OverflowError:
        raise out_of_range("repeats.count") from None
    if starts[-1].year >= MAX_START.year:
        raise out_of_range("repeats.count")
    return starts


def _expand(local: datetime.datetime, every: str, count: int) -> Iterator[datetime.datetime]:
    """Yield the local times of a series, starting with `local`. Short months use their last day.

    Raises OverflowError beyond the year 9999.
    """
    for number in range(count):
        if every == Frequency.MONTHLY:
            yield _months_later(local, number)
        else:
            weeks = number * (2 if every == Frequency.BIWEEKLY else 1)
            yield local if not weeks else (local + datetime.timedelta(weeks=weeks)).replace(fold=0)


def _months_later(local: datetime.datetime, months: int) -> datetime.datetime:
    if not months:
        return local
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    if year > datetime.MAXYEAR:
        raise OverflowError
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day, fold=0)
