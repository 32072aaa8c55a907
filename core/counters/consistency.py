"""Consistency checks of denormalized columns and counters against the rows they are computed from.

Apps register their checks in `core.registry`, and `manage.py verify_counters` runs them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet

from core.counters import counters
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.models import Counter

# Expected values by column for each row that has related rows.
ExpectedValues = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Mismatch:
    """A column whose value differs from the expected one."""

    row: str
    column: str
    stored: Any
    expected: Any

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.stored}, should be {self.expected}"


@dataclass(frozen=True)
class DenormalizationCheck:
    """A check of denormalized columns of a model.

    `name` is shown in the command's output. `empty` maps each column to its value without any related rows. `count`
    takes ids and returns the expected values of those that have related rows. Writers lock the row until they have
    updated its columns, so that columns read under the same lock must match.
    """

    name: str
    model: type[Model]
    empty: Mapping[str, Any]
    count: Callable[[Sequence[int]], ExpectedValues]

    def batches(self, size: int) -> Iterator[list[int]]:
        """Yield the ids of all rows, at most `size` at a time."""
        ids, last = self.model._base_manager.order_by("pk").values_list("pk", flat=True), 0
        while chunk := list(ids.filter(pk__gt=last)[:size]):
            yield chunk
            last = chunk[-1]

    def differences(self, ids: Sequence[int], *, repair: bool) -> Iterator[Mismatch]:
        """Yield the mismatches, and fix them if `repair` is set.

        A row that seems wrong is checked again under its lock.
        """
        for pk in self._mismatches(ids):
            yield from self._recheck(pk, repair=repair)

    def _mismatches(self, ids: Sequence[int]) -> dict[int, dict[str, tuple[Any, Any]]]:
        """Return stored and expected values of the columns that differ, by row."""
        rows = self.model._base_manager.filter(pk__in=ids).order_by("pk").values("pk", *self.empty)
        stored = {row.pop("pk"): row for row in rows}
        expected = self.count(ids)
        mismatches = {}
        for pk, values in stored.items():
            correct = {**self.empty, **expected.get(pk, {})}
            differing = {name: (value, correct[name]) for name, value in values.items() if value != correct[name]}
            if differing:
                mismatches[pk] = differing
        return mismatches

    @atomic_with_retry
    def _recheck(self, pk: int, *, repair: bool) -> list[Mismatch]:
        lock_rows(self.model, [pk])
        mismatches = self._mismatches([pk]).get(pk, {})
        if mismatches and repair:
            self.model._base_manager.filter(pk=pk).update(**{name: value for name, (_, value) in mismatches.items()})
        label = f"{self.model._meta.label_lower} {pk}"
        return [Mismatch(label, name, stored, expected) for name, (stored, expected) in mismatches.items()]


@dataclass(frozen=True)
class CounterMismatch:
    """A counter whose value differs from the number of rows."""

    name: str
    stored: int
    expected: int

    def __str__(self) -> str:
        return f"total {self.name}: {self.stored}, should be {self.expected}"


@dataclass(frozen=True)
class CounterCheck:
    """A check of counters and their monthly counters; `count` returns the expected values that are not 0."""

    names: tuple[str, ...]
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
        counters.increment({mismatch.name: mismatch.expected - mismatch.stored for mismatch in wrong})
        return wrong

    def _compare(self) -> list[CounterMismatch]:
        expected = self.count()
        stored: dict[str, int] = {}
        for key, value in self._rows().values_list("pk", "value"):
            stored[counters.counter_name(key)] = stored.get(counters.counter_name(key), 0) + value
        pairs = [(name, stored.get(name, 0), expected.get(name, 0)) for name in sorted({*stored, *expected})]
        return [CounterMismatch(*pair) for pair in pairs if pair[1] != pair[2]]

    def _rows(self) -> QuerySet[Counter]:
        condition = Q()
        for name in self.names:
            condition |= Q(pk__startswith=f"{name}#") | Q(pk__startswith=f"{name} ")
        return Counter.objects.filter(condition).order_by("pk")


def monthly_counter_check(name: str, field: str, rows: Callable[[], QuerySet[Any]]) -> CounterCheck:
    """Return the check of a counter of rows and of its monthly counters by `field`."""
    return CounterCheck((name,), lambda: counters.expected_counts(name, rows(), field))


@contextmanager
def _consistent_snapshot() -> Iterator[None]:
    """Read from one consistent snapshot inside the block."""
    if connection.vendor == "mysql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # Applies to the next transaction only.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    with transaction.atomic():
        yield
