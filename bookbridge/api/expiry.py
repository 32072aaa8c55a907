"""What nobody can use any more is deleted once a day, in parts, so that nobody waits for it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from bookbridge.api.jobs import Job, every
from bookbridge.api.models import KeptAnswer
from bookbridge.api.registry import cleanups
from bookbridge.api.transactions import retrying_atomic

PART = 1000
# Of one turn of the job; then others have theirs.
SECONDS = 2.0


def expires(name: str, rows: Callable[[], QuerySet[Any]]) -> None:
    """Have these rows deleted, some at a time."""
    cleanups.register(name, lambda: _delete_part(rows()))


def clear(*, until: Callable[[], bool] = lambda: False) -> Iterator[tuple[str, int, bool]]:
    """Clear, chore by chore: of each how much it was, and whether it was left off because `until` said so."""
    for name, chore in list(cleanups.items()):
        done = part = chore()
        while part and not until():
            done += (part := chore())
        yield name, done, bool(part)


@every("api.clear_expired", hours=24, atomic=False)
def _clear_expired() -> bool:
    """Clear for a while; whether there is more."""
    end = time.monotonic() + SECONDS
    left = [more for _name, _done, more in clear(until=lambda: time.monotonic() > end)]
    return any(left)


@retrying_atomic
def _delete_part(rows: QuerySet[Any]) -> int:
    ids = list(rows.order_by().values_list("pk", flat=True)[:PART])
    if ids:
        rows.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


expires("kept answers", lambda: KeptAnswer.objects.expired())
expires("jobs", lambda: Job.objects.expired())
