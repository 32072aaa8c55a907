"""Daily deletion of expired rows, in batches, so that locks are held only briefly."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from core.db.transactions import atomic_with_retry
from core.models import IdempotencyRecord
from core.registry import cleanups
from core.tasks.decorators import periodic_task
from core.tasks.models import QueuedTask

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000
# Then other tasks run before the cleanup continues.
MAX_SECONDS_PER_RUN = 2.0


def register_cleanup(name: str, rows: Callable[[], QuerySet[Any]]) -> None:
    """Register rows that the daily cleanup deletes."""
    cleanups.register(name, lambda: _delete_batch(rows()))


def run_cleanup(*, until: Callable[[], bool] = lambda: False) -> Iterator[tuple[str, int, bool]]:
    """Yield for each cleanup its name, how many rows it deleted, and whether `until()` ended it early.

    Raises ExceptionGroup at the end with the errors of those that failed.
    """
    errors: list[Exception] = []
    for name, cleanup in list(cleanups.items()):
        deleted = batch = 0
        try:
            deleted = batch = cleanup()
            while batch and not until():
                deleted += (batch := cleanup())
        except Exception as error:  # a cleanup that fails must not stop the others
            logger.exception("Cleanup failed: %s", name)
            errors.append(error)
            batch = 0
        yield name, deleted, bool(batch)
    if errors:
        raise ExceptionGroup("Some cleanups failed.", errors)


@periodic_task(hours=24, atomic=False, bulk=True)
def clean_up() -> bool:
    """Clean up for some seconds; return whether there is more."""
    end = time.monotonic() + MAX_SECONDS_PER_RUN
    unfinished = [more for _name, _deleted, more in run_cleanup(until=lambda: time.monotonic() > end)]
    return any(unfinished)


@atomic_with_retry
def _delete_batch(rows: QuerySet[Any]) -> int:
    ids = list(rows.order_by().values_list("pk", flat=True)[:BATCH_SIZE])
    if ids:
        rows.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


register_cleanup("idempotency records", IdempotencyRecord.objects.expired)
register_cleanup("tasks", QueuedTask.objects.expired)
