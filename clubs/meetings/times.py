"""Time where a meeting is: a wall clock there, and the moment that it means by the zone's rules of today.

A wall clock is a datetime without a zone; its `fold` is 1 for the second of two equal times, when clocks are put back.
One that is left out, when clocks are put forward, means the moment at which it would have come without that, as in
RFC 5545 (3.3.5): 02:30 is 03:30 then.
"""

from __future__ import annotations

import datetime
from calendar import monthrange
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from bookbridge.api.errors import InvalidField

FIRST = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)
LAST = datetime.datetime(2101, 1, 1, tzinfo=datetime.UTC)


class Every(models.TextChoices):
    """How often a series meets."""

    WEEKLY = "weekly", _("every week")
    BIWEEKLY = "biweekly", _("every two weeks")
    MONTHLY = "monthly", _("every month")


def wall_clock(at: datetime.datetime, zone: str) -> datetime.datetime:
    """What clocks in `zone` show at a moment."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def moment(wall: datetime.datetime, zone: str) -> datetime.datetime:
    """When clocks in `zone` show this, in UTC."""
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(datetime.UTC)


def out_of_range(field: str) -> InvalidField:
    """What is wrong with a meeting beyond the years there are."""
    return InvalidField(field, "out_of_range", _("A meeting lies in the years 1900 to 2100."))


def walls_of(first: datetime.datetime, repeats: dict[str, Any] | None) -> list[datetime.datetime]:
    """The wall clocks of a meeting, or with `repeats` (`every`, `count`) of a series.

    Raises InvalidField where the series would go on beyond the year 2100.
    """
    if not repeats:
        return [first]
    try:
        walls = list(_repeated(first, **repeats))
    except OverflowError:
        raise out_of_range("repeats.count") from None
    if walls[-1].year >= LAST.year:
        raise out_of_range("repeats.count")
    return walls


def _repeated(wall: datetime.datetime, every: str, count: int) -> Iterator[datetime.datetime]:
    """The wall clocks of a series, `wall` first; a month that has no such day has its last one instead.

    Raises OverflowError beyond the last year there is.
    """
    for number in range(count):
        if every == Every.MONTHLY:
            yield _months_later(wall, number)
        else:
            weeks = number * (2 if every == Every.BIWEEKLY else 1)
            yield wall if not weeks else (wall + datetime.timedelta(weeks=weeks)).replace(fold=0)


def _months_later(wall: datetime.datetime, months: int) -> datetime.datetime:
    if not months:
        return wall
    years, month = divmod(wall.month - 1 + months, 12)
    year = wall.year + years
    if year > datetime.MAXYEAR:
        raise OverflowError
    day = min(wall.day, monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day, fold=0)
