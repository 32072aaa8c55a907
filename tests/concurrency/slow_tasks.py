"""A task for the tests of workers that are killed; the processes of tests and workers both import it."""

import time

from core.models import IdempotencyRecord
from core.tasks.decorators import task

# The process of the tests does not sleep.
HANG_SECONDS = 3600.0


@task()
def slow(*, user: int, n: int) -> None:
    """Write a row and wait; task 0 hangs in its first process."""
    IdempotencyRecord.objects.create(user_id=user, key=f"slow {n}", request_digest="")
    time.sleep(0.05 if n else HANG_SECONDS)
