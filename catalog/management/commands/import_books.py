"""Import books from a file."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from catalog.imports.formats import FORMATS, UnknownFormatError, detect_format
from catalog.imports.importer import CatalogImporter
from catalog.imports.lines import LineReader, UnreadableFileError
from core.management.arguments import batch_size
from core.management.interrupts import GracefulInterrupt
from core.management.progress import ProgressReporter

# Additional counts in the summary, shown if not zero.
COUNT_LABELS = {
    "isbn": "invalid ISBNs",
    "isbn_elsewhere": "ISBNs of another book",
    "merged": "works merged into existing books",
    "year": "invalid years",
    "pages": "invalid page counts",
    "cover": "invalid covers",
    "authors": "truncated lists of authors",
    "subjects": "invalid subjects",
    "description": "invalid descriptions",
    "publisher": "invalid publishers",
    "format": "invalid formats",
}


class Command(BaseCommand):
    """Import books from a file; see `catalog.imports` for the formats."""

    help = (
        "Import books from FILE: books.csv of goodbooks-10k, a custom list (key,title,authors[,published_year,"
        "language,isbn]), or the Open Library dumps of authors, works and editions (in this order or in one file); "
        "plain or gzipped. An interrupted import is resumed by the next run; importing a file again adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", choices=FORMATS, default="", help="the format of the file (default: detect it)")
        parser.add_argument(
            "--rejects", metavar="FILE", type=Path, help="where to write rejected rows (default: NAME.rejects.csv)"
        )
        parser.add_argument(
            "--batch", metavar="N", type=batch_size, default=1000, help="rows per transaction (default: 1000)"
        )
        parser.add_argument("--restart", action="store_true", help="start again from the first line")

    def handle(
        self, *, file: Path, format: str, rejects: Path | str | None, batch: int, restart: bool, **options: Any
    ) -> None:
        """Import the file. The exit status is 1 after an error, and 128 plus the signal number after an interrupt."""
        try:
            with LineReader(file) as lines:
                parser = detect_format(lines, format)
                rejects = Path(rejects or f"{file.name}.rejects.csv").absolute()
                self._run(CatalogImporter(lines, parser, rejects=rejects, batch_size=batch, restart=restart))
        except UnreadableFileError as error:
            raise CommandError(f"{file} is damaged {error}. The rows before the damage were imported.") from error
        except UnknownFormatError as error:
            raise CommandError(f"{file} has an unknown format ({error}).") from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}") from error
        except DatabaseError as error:
            raise CommandError(f"Database error: {error}. Run the command again to resume.") from error

    def _run(self, importer: CatalogImporter) -> None:
        if importer.resumed:
            self.stdout.write(f"Resuming at line {importer.checkpoint.next_line:,} of {importer.file.path.name}.")
        started, read_before = time.monotonic(), importer.counts["read"]
        finished = False
        with GracefulInterrupt() as interrupt:
            try:
                finished = importer.run(
                    progress=ProgressReporter(sys.stderr, size=importer.file.size), should_stop=interrupt.is_requested
                )
            finally:
                self._print_summary(
                    importer, seconds=time.monotonic() - started, read=importer.counts["read"] - read_before
                )
        if not finished and interrupt.received:
            self.stdout.write(
                f"Stopped before line {importer.checkpoint.next_line:,}. Run the command again to resume."
            )
            sys.exit(128 + interrupt.received)

    def _print_summary(self, importer: CatalogImporter, *, seconds: float, read: int) -> None:
        counts = importer.counts
        rate = read / max(seconds, 0.001)
        self.stdout.write(
            f"{importer.file.path.name} ({importer.parser.name}): {read:,} rows in {seconds:.1f} s, {rate:,.0f} rows/s"
        )
        if importer.resumed:
            self.stdout.write(f"Including earlier runs, {counts['read']:,} rows:")
        for outcome in ("created", "known", "rejected", "ignored"):
            self.stdout.write(f"  {outcome:9}{counts[outcome]:>12,}")
        for name, label in COUNT_LABELS.items():
            if counts[name]:
                self.stdout.write(f"  {label}: {counts[name]:,}")
        if counts["rejected"]:
            self.stdout.write(f"  Rejected rows and reasons: {importer.rejects.path}")
        if not counts["created"]:
            self.stdout.write("Nothing was added.")
