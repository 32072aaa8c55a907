"""Figures that are kept beside the rows they count: compared with them in chunks, and mended.

An app describes its figures as `Check`s; `manage.py verify_figures` runs them all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic

# Of each row that has anything to count: the column -> what it should hold.
Counted = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Difference:
    """A column of a row that does not hold what its rows make."""

    row: str
    column: str
    stored: Any
    counted: Any

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.stored}, should be {self.counted}"


@dataclass(frozen=True)
class Check:
    """Some columns of one model, and how they are counted afresh.

    `name` is for people. `empty` holds each column's value where there is nothing to count. `count` takes ids and gives
    what the rows that have something should hold. Whoever moves a column holds its row until the transaction ends, so
    that a column that is read under the same lock agrees with the rows, or is wrong.
    """

    name: str
    model: type[Model]
    empty: Mapping[str, Any]
    count: Callable[[Sequence[int]], Counted]

    def chunks(self, size: int) -> Iterator[list[int]]:
        """The ids of all rows, at most `size` at a time."""
        ids, last = self.model._base_manager.order_by("pk").values_list("pk", flat=True), 0
        while chunk := list(ids.filter(pk__gt=last)[:size]):
            yield chunk
            last = chunk[-1]

    def differences(self, ids: Sequence[int], *, repair: bool) -> Iterator[Difference]:
        """What is wrong in these rows; a row that looks wrong is looked at again under its lock, and then mended."""
        for pk in self._wrong(ids):
            yield from self._settle(pk, repair=repair)

    def _wrong(self, ids: Sequence[int]) -> dict[int, dict[str, tuple[Any, Any]]]:
        """The rows with columns that differ, each with the column's stored and counted value."""
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

    @retrying_atomic
    def _settle(self, pk: int, *, repair: bool) -> list[Difference]:
        hold(self.model, [pk])
        wrong = self._wrong([pk]).get(pk, {})
        if wrong and repair:
            self.model._base_manager.filter(pk=pk).update(**{name: right for name, (_, right) in wrong.items()})
        label = f"{self.model._meta.label_lower} {pk}"
        return [Difference(label, name, stored, right) for name, (stored, right) in wrong.items()]
