"""Recompute stored columns that are derived from others, for migrations that change how they are derived."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

# Rows may have long texts, and one UPDATE contains all of them.
BATCH_SIZE = 200


def recompute_columns(rows: QuerySet[Any], columns: Sequence[str], compute: Callable[[Any], None]) -> None:
    """Call `compute` for each row to set `columns`, and save the changed rows, one batch in a transaction."""
    last: int | None = 0
    while last is not None:
        last = _recompute_batch(rows.filter(pk__gt=last), columns, compute)


def _recompute_batch(rows: QuerySet[Any], columns: Sequence[str], compute: Callable[[Any], None]) -> int | None:
    """Recompute the first rows, and return the last primary key, None without rows."""
    with transaction.atomic(using=rows.db):
        batch = list(rows.select_for_update().order_by("pk")[:BATCH_SIZE])
        before = [_values(row, columns) for row in batch]
        for row in batch:
            compute(row)
        changed = [row for row, values in zip(batch, before, strict=True) if _values(row, columns) != values]
        rows.bulk_update(changed, columns)
    return batch[-1].pk if batch else None


def _values(row: Any, columns: Sequence[str]) -> list[Any]:
    return [getattr(row, column) for column in columns]
