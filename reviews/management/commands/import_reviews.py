"""Import an export of another service."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from accounts.models import User
from core.management.interrupts import GracefulInterrupt
from core.management.progress import ProgressReporter
from reviews.choices import ReviewVisibility
from reviews.imports.errors import REASON_MESSAGES, InvalidFileError
from reviews.imports.files import SOURCES
from reviews.imports.runner import ImportRunner
from reviews.imports.services import resume_or_start
from reviews.models import ImportReport, ReviewImport, SupersededError


class Command(BaseCommand):
    """Import the export of a user; see `reviews.imports` for the formats."""

    help = (
        "Imports the ratings, reviews and readings of FILE, an export of another service, as those of the user NAME. "
        "An interrupted import continues where it stopped; importing the same file again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--user", metavar="NAME", required=True, help="username of the author")
        parser.add_argument("--source", choices=sorted(SOURCES), required=True)
        parser.add_argument(
            "--visibility", choices=ReviewVisibility.values, default=ReviewVisibility.PUBLIC, help="[public]"
        )

    def handle(self, *, file: Path, user: str, source: str, visibility: str, **options: Any) -> None:
        """Import the file; if stopped by a signal, exit with status 128 plus its number."""
        author = User.objects.with_username(user).first()
        if author is None:
            raise CommandError(f"There is no user {user}.")
        try:
            data = file.read_bytes()
            review_import = resume_or_start(by=author, source=source, visibility=visibility, data=data)
            self._run(review_import, data)
        except InvalidFileError as error:
            raise CommandError(f"{file}: {error.message}") from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from None
        except SupersededError:
            raise CommandError("Another process has continued this import.") from None
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}. Run the command again to continue.") from error

    def _run(self, review_import: ReviewImport, data: bytes) -> None:
        runner, before, began = ImportRunner(review_import, data), review_import.rows_processed, time.monotonic()
        if before:
            self.stdout.write(f"Continuing after {before:,} of {review_import.rows:,} rows.")
        progress = ProgressReporter(sys.stderr, size=review_import.rows)
        progress.start("reviews")
        try:
            with GracefulInterrupt() as signals:
                finished = runner.run(should_stop=signals.is_requested, progress=progress.advance)
        finally:
            progress.finish()
        self._print_summary(runner.report, rows=runner.report.rows_processed - before, seconds=time.monotonic() - began)
        if not finished and signals.received:
            done = runner.report.rows_processed
            self.stdout.write(f"Stopped after {done:,} of {review_import.rows:,}. Run the command again to continue.")
            sys.exit(128 + signals.received)

    def _print_summary(self, report: ImportReport, *, rows: int, seconds: float) -> None:
        self.stdout.write(f"{rows:,} rows in {seconds:.1f} s, {rows / max(seconds, 0.001):,.0f} rows/s")
        for outcome in ("created", "updated", "skipped", "failed"):
            self.stdout.write(f"  {outcome:9}{getattr(report, outcome):>8,}")
        for code, number in report.remarks.items():
            self.stdout.write(f"  {number:,} × {REASON_MESSAGES[code]}")
        for line, code in report.errors:
            self.stdout.write(f"  line {line}: {REASON_MESSAGES[code]}")
