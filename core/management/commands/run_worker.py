"""`manage.py run_worker`."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core.tasks.scheduling import enqueue_periodic
from core.tasks.worker import Worker, run_pending


class Command(BaseCommand):
    """Run queued tasks for servers that were started with JOBS=worker."""

    help = (
        "Runs queued tasks as they become due. SIGTERM and SIGINT end it after the current task. Any number of workers "
        "may run side by side; with JOBS=worker the server leaves the tasks to them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run the tasks that are due now, and exit")

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            enqueue_periodic()
            self.stdout.write(f"{run_pending()} tasks run")
            return
        worker = Worker(poll_interval=1.0)

        def stop(signum: int, frame: Any) -> None:
            worker.stop_requested = True

        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, stop)
        worker.run()
