"""Totals that many writes move at once, and the generations of what the cache keeps.

Each is the sum of SHARDS rows: a thread moves the same one always, so that two writers seldom wait for each other and
no transaction holds two. A name with a colon (`book:7`) is one row, for what few move at once. Whoever moves one does
it in the transaction of what is counted, after every other row that it locks.
"""

from __future__ import annotations

import datetime
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import ExtractMonth, ExtractYear

from bookbridge.api.models import Total
from bookbridge.api.rows import batches
from bookbridge.api.transactions import retrying_atomic

SHARDS = 8
# How many rows one statement names.
BATCH = 200
# Moves with each of the totals: the generation of whatever is made of them.
TOTALS = "totals"

_ADD = {
    "mysql": "INSERT INTO api_total (`key`, value) VALUES {} ON DUPLICATE KEY UPDATE value = value + VALUES(value)",
    "sqlite": "INSERT INTO api_total (key, value) VALUES {} ON CONFLICT DO UPDATE SET value = value + excluded.value",
}
_own = threading.local()


def add(steps: Mapping[str, int]) -> None:
    """Move totals, each by so much, and with them the generation TOTALS."""
    steps = {name: step for name, step in steps.items() if step}
    if steps:
        _write({**steps, TOTALS: 1})


def moved(*generations: str) -> None:
    """Say that what these generations stand for has changed: nothing kept under the former ones is read any more."""
    _write(dict.fromkeys(generations, 1))


def read(names: Iterable[str]) -> dict[str, int]:
    """The totals of these names as the primary database has them, in one query; 0 for one that was never moved."""
    sums = dict.fromkeys(names, 0)
    keys = [key for name in sums for key in _keys(name)]
    for key, value in Total.objects.using("default").filter(pk__in=keys).values_list("pk", "value"):
        sums[_name(key)] += value
    return sums


def month(name: str, at: datetime.datetime) -> str:
    """The name of what a total counts in the month of a moment, in UTC: `reviews 2026-11`."""
    return month_of(name, at.astimezone(datetime.UTC))


def month_of(name: str, day: datetime.date) -> str:
    """The same, of a day."""
    return f"{name} {day.year:04}-{day.month:02}"


def counted(name: str, rows: QuerySet[Any], field: str) -> dict[str, int]:
    """What a total and its months should be: how many rows there are, and in which month of UTC each `field` lies."""
    year, of_year = ExtractYear(field, tzinfo=datetime.UTC), ExtractMonth(field, tzinfo=datetime.UTC)
    months = rows.order_by().values_list(year, of_year).annotate(n=Count("pk"))
    found = {month_of(name, datetime.date(year, number, 1)): n for year, number, n in months}
    return {**found, name: sum(found.values())}


def _write(steps: Mapping[str, int]) -> None:
    """Add to the rows in the order of their keys; one that is missing begins at 0."""
    rows = sorted((_own_key(name), step) for name, step in steps.items())
    with transaction.atomic(), connection.cursor() as cursor:
        for batch in batches(rows, BATCH):
            places = ", ".join(["(%s, %s)"] * len(batch))
            cursor.execute(_ADD[connection.vendor].format(places), [value for row in batch for value in row])


def _keys(name: str) -> list[str]:
    """The rows whose sum it is."""
    return [name] if ":" in name else [f"{name}#{shard}" for shard in range(SHARDS)]


def _own_key(name: str) -> str:
    """The row of it that this thread moves."""
    if ":" in name:
        return name
    if not hasattr(_own, "shard"):
        _own.shard = random.randrange(SHARDS)
    return f"{name}#{_own.shard}"


def _name(key: str) -> str:
    return key.partition("#")[0]


@dataclass(frozen=True)
class Miscount:
    """A total that is not what its rows make."""

    name: str
    stored: int
    counted: int

    def __str__(self) -> str:
        return f"total {self.name}: {self.stored}, should be {self.counted}"


@dataclass(frozen=True)
class Recount:
    """How some totals are counted afresh: `count` gives those that are not 0, of all whose first word is in `words`."""

    words: tuple[str, ...]
    count: Callable[[], Mapping[str, int]]

    def differences(self, *, repair: bool) -> list[Miscount]:
        """What is wrong at one moment, while writes go on; `repair` sets it right."""
        with _one_moment():
            wrong = self._compare()
        return self._repaired() if wrong and repair else wrong

    @retrying_atomic
    def _repaired(self) -> list[Miscount]:
        # Whoever has moved one of them commits before this has its lock, and nobody else can until it is done.
        list(self._rows().select_for_update().values_list("pk"))
        wrong = self._compare()
        add({one.name: one.counted - one.stored for one in wrong})
        return wrong

    def _compare(self) -> list[Miscount]:
        counted = self.count()
        stored: dict[str, int] = {}
        for key, value in self._rows().values_list("pk", "value"):
            stored[_name(key)] = stored.get(_name(key), 0) + value
        pairs = [(name, stored.get(name, 0), counted.get(name, 0)) for name in sorted({*stored, *counted})]
        return [Miscount(*pair) for pair in pairs if pair[1] != pair[2]]

    def _rows(self) -> QuerySet[Total]:
        mine = Q()
        for word in self.words:
            mine |= Q(pk__startswith=f"{word}#") | Q(pk__startswith=f"{word} ")
        return Total.objects.filter(mine).order_by("pk")


def recount_by_month(name: str, field: str, rows: Callable[[], QuerySet[Any]]) -> Recount:
    """Return the recount of a total of rows and of its shares by the month of `field`."""
    return Recount((name,), lambda: counted(name, rows(), field))


@contextmanager
def _one_moment() -> Iterator[None]:
    """All that is read inside is of one moment."""
    if connection.vendor == "mysql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # Of the next transaction alone.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    with transaction.atomic():
        yield
