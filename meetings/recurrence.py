"""Local times of meetings and their conversion to UTC.

A local time is a naive datetime. Its `fold` is 1 for the second of two equal times, when clocks go back. A time that
is skipped when clocks go forward is read with the offset before the change, as in RFC 5545 (3.3.5): 02:30 means 03:30.
"""

from __future__ import annotations

import datetime
from calendar import monthrange
from collections.abc import Iterator, Sequence
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


class Weekday(models.TextChoices):
    """A day of the week, Monday first as in Python's `calendar`."""

    MONDAY = "monday", _("Monday")
    TUESDAY = "tuesday", _("Tuesday")
    WEDNESDAY = "wednesday", _("Wednesday")
    THURSDAY = "thursday", _("Thursday")
    FRIDAY = "friday", _("Friday")
    SATURDAY = "saturday", _("Saturday")
    SUNDAY = "sunday", _("Sunday")


# The weeks of a month that a monthly series can be on; -1 is the last one.
WEEKS = [(week, str(week)) for week in (1, 2, 3, 4, -1)]


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
    """Return the local times of a meeting, or with `repeats` (the columns of a series) of a series.

    Raises InvalidFieldError if the series extends beyond the year 2100, has no meetings, or lacks the first day or a
    day that it excludes.
    """
    if not repeats:
        return [first]
    week, weekday = repeats.get("week"), repeats.get("weekday", "")
    if week is not None and _nth_weekday(first, week, weekday) != first:
        raise _not_in_series("repeats.on")
    try:
        starts = list(_expand(first, repeats["every"], repeats["count"], week, weekday))
    except OverflowError:
        raise out_of_range("repeats.count") from None
    if starts[-1].year >= MAX_START.year:
        raise out_of_range("repeats.count")
    return _exclude(starts, repeats.get("excluded_days", []))


def _exclude(starts: list[datetime.datetime], days: Sequence[str]) -> list[datetime.datetime]:
    """Return the times on other days than these, which must be days of the series, but not all of them."""
    in_series = {start.date().isoformat() for start in starts}
    for index, day in enumerate(days):
        if day not in in_series:
            raise _not_in_series(f"repeats.except.{index}")
    left = [start for start in starts if start.date().isoformat() not in days]
    if not left:
        raise InvalidFieldError("repeats.except", "empty", _("At least one meeting must remain."))
    return left


def _not_in_series(field: str) -> InvalidFieldError:
    return InvalidFieldError(field, "not_in_series", _("This day is not in the series."))


def _expand(
    local: datetime.datetime, every: str, count: int, week: int | None, weekday: str
) -> Iterator[datetime.datetime]:
    """Yield the local times of a series, starting with `local`. Short months use their last day.

    Raises OverflowError beyond the year 9999.
    """
    for number in range(count):
        if not number:
            yield local
        elif every == Frequency.MONTHLY:
            later = _months_later(local, number)
            yield later if week is None else _nth_weekday(later, week, weekday)
        else:
            weeks = number * (2 if every == Frequency.BIWEEKLY else 1)
            yield (local + datetime.timedelta(weeks=weeks)).replace(fold=0)


def _months_later(local: datetime.datetime, months: int) -> datetime.datetime:
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    if year > datetime.MAXYEAR:
        raise OverflowError
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day, fold=0)


def _nth_weekday(local: datetime.datetime, week: int, weekday: str) -> datetime.datetime:
    """Return the same time on the first to fourth such weekday of the month, or the last one (-1)."""
    first_weekday, days = monthrange(local.year, local.month)
    first = 1 + (Weekday.values.index(weekday) - first_weekday) % 7
    day = first + 7 * (week - 1) if week > 0 else first + 7 * ((days - first) // 7)
    return local.replace(day=day)
