"""Row locking helpers. Rows are always locked in primary-key order, to avoid deadlocks."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from django.db.models import Model

T = TypeVar("T")

# Maximum number of ids in a query.
BATCH_SIZE = 1000


def lock_rows(model: type[Model], ids: Iterable[int | None]) -> list[int]:
    """Lock rows in primary-key order until the transaction ends, and return the ids of those that exist."""
    rows = model._base_manager.select_for_update().order_by("pk")
    sorted_ids = sorted({pk for pk in ids if pk is not None})
    return [pk for batch in batched(sorted_ids) for pk in rows.filter(pk__in=batch).values_list("pk", flat=True)]


def batched(items: Iterable[T], size: int = BATCH_SIZE) -> Iterator[list[T]]:
    """Yield lists of at most `size` items."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch
