"""Back up the database and the images."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from core.backup import databases
from core.backup.archive import create_backup, delete_old_backups
from core.backup.progress import ByteProgress


class Command(BaseCommand):
    """Write a backup into a new directory. The server may be running."""

    help = (
        "Write the database and the images to a new directory below TARGET. SECRET_KEY and JWT_PRIVATE_KEY are not in "
        "it: keep them in another place."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path)
        parser.add_argument("--keep", type=_positive, metavar="N", help="Then delete all but the N newest backups.")

    def handle(self, **options: Any) -> None:
        progress = ByteProgress(databases.estimate_bytes(), self.stderr)
        # Exit through the exception handling on SIGTERM, so that the unfinished backup is deleted.
        previous_handler = signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
        try:
            backup = create_backup(options["target"], progress.add)
        finally:
            signal.signal(signal.SIGTERM, previous_handler)
        self.stdout.write(str(backup))
        if options["keep"]:
            for deleted in delete_old_backups(options["target"], options["keep"]):
                self.stdout.write(f"{deleted} deleted.")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
