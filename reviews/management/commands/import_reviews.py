"""Management command that imports a Goodreads or StoryGraph export."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from accounts.models import User
from catalog.importing.progress import Progress
from catalog.importing.signals import StopSignals
from reviews.importing.files import SOURCES, BadFileError
from reviews.importing.models import Import, Report, SupersededError
from reviews.importing.rows import REASONS
from reviews.importing.run import Run
from reviews.importing.services import take_up
from reviews.querysets import Visibility


class Command(BaseCommand):
    """Import the export of a user; see `reviews.imports` for the formats."""

    help = (
        "Imports the ratings and reviews of FILE, a Goodreads library export or a StoryGraph export, as reviews of the "
        "user NAME. An interrupted import continues where it stopped; importing the same file again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command line arguments."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--user", metavar="NAME", required=True, help="username of the author")
        parser.add_argument("--source", choices=sorted(SOURCES), required=True)
        parser.add_argument("--visibility", choices=Visibility.values, default=Visibility.PUBLIC, help="[public]")

    def handle(self, *, file: Path, user: str, source: str, visibility: str, **rest: Any) -> None:
        """Import the file; if stopped by a signal, exit with status 128 plus its number."""
        author = User.objects.named(user).first()
        if author is None:
            raise CommandError(f"There is no user {user}.")
        try:
            data = file.read_bytes()
            work = take_up(by=author, source=source, visibility=visibility, data=data)
            self._run(work, data)
        except BadFileError as bad:
            raise CommandError(f"{file}: {REASONS[bad.code]}") from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from None
        except SupersededError:
            raise CommandError("Another process has continued this import.") from None
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}. Run the command again to continue.") from error

    def _run(self, work: Import, data: bytes) -> None:
        run, before, began = Run(work, data), work.done, time.monotonic()
        if before:
            self.stdout.write(f"Continuing after {before:,} of {work.rows:,} rows.")
        progress = Progress(sys.stderr, size=work.rows)
        progress.begin("reviews")
        try:
            with StopSignals() as signals:
                finished = run.run(stopped=signals.stopped, progress=progress.row)
        finally:
            progress.end()
        self._tell(run.report, rows=run.report.done - before, seconds=time.monotonic() - began)
        if not finished and signals.received:
            self.stdout.write(f"Stopped after {run.report.done:,} of {work.rows:,}. Run the command again to continue.")
            sys.exit(128 + signals.received)

    def _tell(self, report: Report, *, rows: int, seconds: float) -> None:
        self.stdout.write(f"{rows:,} rows in {seconds:.1f} s, {rows / max(seconds, 0.001):,.0f} rows/s")
        for outcome in ("created", "updated", "skipped", "failed"):
            self.stdout.write(f"  {outcome:9}{getattr(report, outcome):>8,}")
        for code, number in report.remarks.items():
            self.stdout.write(f"  {number:,} × {REASONS[code]}")
        for line, code in report.errors:
            self.stdout.write(f"  line {line}: {REASONS[code]}")
