"""Sharded counters and cache versions.

A counter is the sum of SHARDS rows, of which each thread uses one, so that concurrent writers rarely block each other.
Names with a colon (`book:7`) have a single row. A counter is incremented in the transaction of the rows it counts,
after every other lock of the transaction.
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

from core.db.locking import batched
from core.db.transactions import atomic_with_retry
from core.models import Counter

SHARDS = 8
# Maximum number of rows in a statement.
BATCH_SIZE = 200
# The cache version that is bumped whenever any counter changes.
TOTALS_VERSION = "totals"

_UPSERT = {
    "mysql": "INSERT INTO core_counter (`key`, value) VALUES {} ON DUPLICATE KEY UPDATE value = value + VALUES(value)",
    "sqlite": "INSERT INTO core_counter (key, value) VALUES {} ON CONFLICT DO UPDATE"
    " SET value = value + excluded.value",
}
_thread_shard = threading.local()


def increment(steps: Mapping[str, int]) -> None:
    """Increment counters, each by its step, and bump TOTALS_VERSION."""
    steps = {name: step for name, step in steps.items() if step}
    if steps:
        _write({**steps, TOTALS_VERSION: 1})


def bump_versions(*generations: str) -> None:
    """Bump cache versions, which invalidates all responses cached under the old ones."""
    _write(dict.fromkeys(generations, 1))


def get_values(names: Iterable[str]) -> dict[str, int]:
    """Return the values of these counters from the primary database, in one query; 0 for unknown ones."""
    sums = dict.fromkeys(names, 0)
    keys = [key for name in sums for key in _keys(name)]
    for key, value in Counter.objects.using("default").filter(pk__in=keys).values_list("pk", "value"):
        sums[_name(key)] += value
    return sums


def monthly_key(name: str, at: datetime.datetime) -> str:
    """Return the name of a monthly counter for a time, in UTC: `reviews 2026-11`."""
    return monthly_key_for_date(name, at.astimezone(datetime.UTC))


def monthly_key_for_date(name: str, day: datetime.date) -> str:
    """Return the name of a monthly counter for a date."""
    return f"{name} {day.year:04}-{day.month:02}"


def expected_counts(name: str, rows: QuerySet[Any], field: str) -> dict[str, int]:
    """Return the expected values of a counter and its monthly counters.

    They are the number of rows in total and by month of `field`, in UTC.
    """
    year, of_year = ExtractYear(field, tzinfo=datetime.UTC), ExtractMonth(field, tzinfo=datetime.UTC)
    months = rows.order_by().values_list(year, of_year).annotate(n=Count("pk"))
    found = {monthly_key_for_date(name, datetime.date(year, number, 1)): n for year, number, n in months}
    return {**found, name: sum(found.values())}


def _write(steps: Mapping[str, int]) -> None:
    """Increment the rows in key order; a missing row counts as 0."""
    rows = sorted((_own_key(name), step) for name, step in steps.items())
    with transaction.atomic(), connection.cursor() as cursor:
        for batch in batched(rows, BATCH_SIZE):
            places = ", ".join(["(%s, %s)"] * len(batch))
            cursor.execute(_UPSERT[connection.vendor].format(places), [value for row in batch for value in row])


def _keys(name: str) -> list[str]:
    """Return the keys of all rows of a counter."""
    return [name] if ":" in name else [f"{name}#{shard}" for shard in range(SHARDS)]


def _own_key(name: str) -> str:
    """Return the key of the row that this thread increments."""
    if ":" in name:
        return name
    if not hasattr(_thread_shard, "shard"):
        _thread_shard.shard = random.randrange(SHARDS)
    return f"{name}#{_thread_shard.shard}"


def _name(key: str) -> str:
    return key.partition("#")[0]


@dataclass(frozen=True)
class CounterMismatch:
    """A counter whose value differs from the number of rows."""

    name: str
    stored: int
    expected_counts: int

    def __str__(self) -> str:
        return f"total {self.name}: {self.stored}, should be {self.expected_counts}"


@dataclass(frozen=True)
class CounterCheck:
    """A check of all counters whose first word is in `words`; `count` returns the expected values that are not 0."""

    words: tuple[str, ...]
    count: Callable[[], Mapping[str, int]]

    def differences(self, *, repair: bool) -> list[CounterMismatch]:
        """Return the mismatches in a consistent snapshot, and fix them if `repair` is set."""
        with _consistent_snapshot():
            wrong = self._compare()
        return self._repair() if wrong and repair else wrong

    @atomic_with_retry
    def _repair(self) -> list[CounterMismatch]:
        # Waits for transactions that changed one of the counters, and blocks new ones until the repair is committed.
        list(self._rows().select_for_update().values_list("pk"))
        wrong = self._compare()
        increment({mismatch.name: mismatch.expected_counts - mismatch.stored for mismatch in wrong})
        return wrong

    def _compare(self) -> list[CounterMismatch]:
        counted = self.count()
        stored: dict[str, int] = {}
        for key, value in self._rows().values_list("pk", "value"):
            stored[_name(key)] = stored.get(_name(key), 0) + value
        pairs = [(name, stored.get(name, 0), counted.get(name, 0)) for name in sorted({*stored, *counted})]
        return [CounterMismatch(*pair) for pair in pairs if pair[1] != pair[2]]

    def _rows(self) -> QuerySet[Counter]:
        condition = Q()
        for word in self.words:
            condition |= Q(pk__startswith=f"{word}#") | Q(pk__startswith=f"{word} ")
        return Counter.objects.filter(condition).order_by("pk")


def recount_by_month(name: str, field: str, rows: Callable[[], QuerySet[Any]]) -> CounterCheck:
    """Return the recount of a total of rows and of its shares by the month of `field`."""
    return CounterCheck((name,), lambda: expected_counts(name, rows(), field))


@contextmanager
def _consistent_snapshot() -> Iterator[None]:
    """Read from one consistent snapshot inside the block."""
    if connection.vendor == "mysql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # Applies to the next transaction only.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    with transaction.atomic():
        yield
