"""Consistency checks of denormalized columns against the rows they are computed from.

Apps define `DenormalizationCheck`s, and `manage.py verify_counters` runs them in chunks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

# Expected values by column for each row that has related rows.
ExpectedValues = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Mismatch:
    """A column whose value differs from the expected one."""

    row: str
    column: str
    stored: Any
    counted: Any

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.stored}, should be {self.counted}"


@dataclass(frozen=True)
class DenormalizationCheck:
    """A check of denormalized columns of a model.

    `name` is shown to people. `empty` maps each column to its value without any related rows. `count` takes ids and
    returns the expected values of those that have related rows. Writers lock the row until they have updated its
    columns, so that columns read under the same lock must match.
    """

    name: str
    model: type[Model]
    empty: Mapping[str, Any]
    count: Callable[[Sequence[int]], ExpectedValues]

    def chunks(self, size: int) -> Iterator[list[int]]:
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
        counted = self.count(ids)
        wrong = {}
        for pk, values in stored.items():
            right = {**self.empty, **counted.get(pk, {})}
            differing = {name: (value, right[name]) for name, value in values.items() if value != right[name]}
            if differing:
                wrong[pk] = differing
        return wrong

    @atomic_with_retry
    def _recheck(self, pk: int, *, repair: bool) -> list[Mismatch]:
        lock_rows(self.model, [pk])
        wrong = self._mismatches([pk]).get(pk, {})
        if wrong and repair:
            self.model._base_manager.filter(pk=pk).update(**{name: right for name, (_, right) in wrong.items()})
        label = f"{self.model._meta.label_lower} {pk}"
        return [Mismatch(label, name, stored, right) for name, (stored, right) in wrong.items()]
