"""Sharded counters.

A counter is the sum of SHARDS rows; each thread uses one of them, so that concurrent writers rarely block each other.
Names with a colon (`book:7`) have a single row. A counter is incremented in the transaction of the rows it counts,
after every other lock of the transaction.
"""

from __future__ import annotations

import datetime
import random
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, DateTimeField, QuerySet
from django.db.models.functions import ExtractMonth, ExtractYear

from core.db.locking import batched

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
_SELECT = {
    "mysql": "SELECT `key`, value FROM core_counter WHERE `key` IN",
    "sqlite": "SELECT key, value FROM core_counter WHERE key IN",
}
_thread_shard = threading.local()


def increment(steps: Mapping[str, int], *, versions: Iterable[str] = ()) -> None:
    """Increment counters, each by its step, and bump TOTALS_VERSION if one changes. Then bump the other `versions`."""
    steps = {name: step for name, step in steps.items() if step}
    totals = {**steps, TOTALS_VERSION: version_step()} if steps else {}
    add(totals, dict.fromkeys(versions, version_step()))


def version_step() -> int:
    """Return a step by which a version is incremented.

    It is random, so that versions never repeat earlier values after the database was restored from a backup.
    """
    return random.randrange(1, 2**31)


def add(*groups: Mapping[str, int]) -> None:
    """Add each step to this thread's row of a counter; a missing row counts as 0.

    The rows are locked group by group, each in key order.
    """
    rows = [row for steps in groups for row in sorted((_own_key(name), step) for name, step in steps.items())]
    # Without a savepoint, because an error here ends the transaction anyway.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for batch in batched(rows, BATCH_SIZE):
            placeholders = ", ".join(["(%s, %s)"] * len(batch))
            cursor.execute(_UPSERT[connection.vendor].format(placeholders), [value for row in batch for value in row])


def get_values(names: Iterable[str]) -> dict[str, int]:
    """Return the values of these counters from the primary database, in one query; 0 for unknown ones."""
    sums = dict.fromkeys(names, 0)
    keys = [key for name in sums for key in _keys(name)]
    if keys:
        with connection.cursor() as cursor:
            # Not a queryset, which takes longer to build than the database to respond: this runs for each cache hit.
            cursor.execute(f"{_SELECT[connection.vendor]} ({', '.join(['%s'] * len(keys))})", keys)
            for key, value in cursor.fetchall():
                sums[counter_name(key)] += value
    return sums


def monthly_key(name: str, time: datetime.datetime) -> str:
    """Return the name of a monthly counter for a time, in UTC: `reviews 2026-11`."""
    return monthly_key_for_date(name, time.astimezone(datetime.UTC))


def monthly_key_for_date(name: str, day: datetime.date) -> str:
    """Return the name of a monthly counter for a date."""
    return f"{name} {day.year:04}-{day.month:02}"


def expected_counts(name: str, rows: QuerySet[Any], field: str) -> dict[str, int]:
    """Return the expected values of a counter and its monthly counters.

    They are the number of rows in total and by month of `field`, a date, or a time in UTC. Rows without a date are in
    the total only.
    """
    zone = datetime.UTC if isinstance(rows.model._meta.get_field(field), DateTimeField) else None
    year, month = ExtractYear(field, tzinfo=zone), ExtractMonth(field, tzinfo=zone)
    groups = list(rows.order_by().values_list(year, month).annotate(n=Count("pk")))
    monthly = {monthly_key_for_date(name, datetime.date(y, m, 1)): n for y, m, n in groups if y is not None}
    return {**monthly, name: sum(n for _year, _month, n in groups)}


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


def counter_name(key: str) -> str:
    """Return the name of the counter to which a row belongs."""
    return key.partition("#")[0]
