"""Rows by their ids: locked in everybody's order, and taken so many at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from django.db.models import Model

T = TypeVar("T")

# How many rows one statement names.
BATCH = 1000


def hold(model: type[Model], ids: Iterable[int | None]) -> list[int]:
    """Lock rows until the transaction ends, in the order of their ids; the ids of those that are there."""
    rows = model._base_manager.select_for_update().order_by("pk")
    wanted = sorted({pk for pk in ids if pk is not None})
    return [pk for batch in batches(wanted) for pk in rows.filter(pk__in=batch).values_list("pk", flat=True)]


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of at most `size` of the items, in their order."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch
