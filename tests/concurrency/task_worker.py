"""A worker in a process of its own, for the tests to kill: `python -m tests.concurrency.task_worker LEASE_SECONDS`."""

import datetime
import sys

import django

django.setup()

from core.tasks import models  # noqa: E402
from core.tasks.decorators import periodic_tasks  # noqa: E402
from core.tasks.worker import Worker  # noqa: E402

# The tests count the tasks that run.
periodic_tasks.clear()

if __name__ == "__main__":
    models.LEASE_DURATION = datetime.timedelta(seconds=float(sys.argv[1]))
    Worker(poll_interval=0.1).run()
