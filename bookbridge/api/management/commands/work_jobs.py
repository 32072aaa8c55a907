"""`manage.py work_jobs`."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bookbridge.api.jobs import Worker, run_due, schedule


class Command(BaseCommand):
    """Do jobs as they fall due, beside a server that runs with JOBS=worker."""

    help = (
        "Does jobs as they fall due, until SIGTERM or SIGINT and then to the end of the job at hand. Any number of "
        "these may run side by side; the server leaves the jobs to them with JOBS=worker."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's arguments."""
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")

    def handle(self, *, once: bool, **rest: Any) -> None:
        """Work until a signal comes."""
        if once:
            schedule()
            self.stdout.write(f"{run_due()} jobs done")
            return
        worker = Worker(pause=1.0)

        def end(number: int, frame: Any) -> None:
            worker.stopping = True

        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, end)
        worker.run()
