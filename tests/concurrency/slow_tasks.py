"""A task for the tests of workers that are killed; the processes of tests and workers both import it."""

import time

from bookbridge.api.models import KeptAnswer
from bookbridge.api.tasks.decorators import task

# The process of the tests does not sleep.
HANG_SECONDS = 3600.0


@task()
def slow(*, user: int, n: int) -> None:
    """Write a row and wait; task 0 hangs in its first process."""
    KeptAnswer.objects.create(user_id=user, key=f"slow {n}", body="")
    time.sleep(0.05 if n else HANG_SECONDS)
