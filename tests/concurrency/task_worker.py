"""A worker in a process of its own, for tests that kill it: `python -m tests.concurrency.task_worker LEASE_SECONDS`."""

import datetime
import sys
import time

import django

django.setup()

from bookbridge.api import jobs  # noqa: E402
from bookbridge.api.models import KeptAnswer  # noqa: E402

# Only the tests' own tasks run, because the tests count them.
jobs.handlers.clear()


@jobs.job("slow")
def slow(*, user: int, n: int) -> None:
    """Insert a row, then wait."""
    KeptAnswer.objects.create(user_id=user, key=f"slow {n}", body="")
    time.sleep(0.05 if n else 3600)


if __name__ == "__main__":
    jobs.LEASE = datetime.timedelta(seconds=float(sys.argv[1]))
    jobs.Worker(pause=0.1).run()
