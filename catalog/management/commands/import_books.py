"""Import books from a file."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from catalog.imports.formats import FORMATS, UnknownFormatError, detect_format
from catalog.imports.importer import CatalogImporter
from catalog.imports.interrupts import GracefulInterrupt
from catalog.imports.lines import LineReader, UnreadableFileError
from catalog.imports.progress import ProgressReporter

# Counts that the summary lists if they are not zero.
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


def batch_size(text: str) -> int:
    """Parse a batch size from 1 to 10,000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 10_000:
        raise ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)


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
        self, *, file: Path, format: str, rejects: Path | str | None, batch: int, restart: bool, **rest: Any
    ) -> None:
        """Import the file. The exit status is 1 after an error, and 128 plus the signal number after an interrupt."""
        try:
            with LineReader(file) as lines:
                reader = detect_format(lines, format)
                rejects = Path(rejects or f"{file.name}.rejects.csv").absolute()
                self._run(CatalogImporter(lines, reader, rejects=rejects, batch=batch, restart=restart))
        except UnreadableFileError as error:
            raise CommandError(f"{file} is damaged {error}. The rows before the damage were imported.") from error
        except UnknownFormatError as error:
            raise CommandError(f"{file} has an unknown format ({error}).") from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}") from error
        except DatabaseError as error:
            raise CommandError(f"Database error: {error}. Run the command again to resume.") from error

    def _run(self, work: CatalogImporter) -> None:
        if work.resumed:
            self.stdout.write(f"Resuming at line {work.checkpoint.next_line:,} of {work.file.path.name}.")
        began, before = time.monotonic(), work.counts["read"]
        finished = False
        with GracefulInterrupt() as signals:
            try:
                finished = work.run(
                    progress=ProgressReporter(sys.stderr, size=work.file.size), stopped=signals.is_requested
                )
            finally:
                self._print_summary(work, seconds=time.monotonic() - began, read=work.counts["read"] - before)
        if not finished and signals.received:
            self.stdout.write(f"Stopped before line {work.checkpoint.next_line:,}. Run the command again to resume.")
            sys.exit(128 + signals.received)

    def _print_summary(self, work: CatalogImporter, *, seconds: float, read: int) -> None:
        counts = work.counts
        rate = read / max(seconds, 0.001)
        self.stdout.write(
            f"{work.file.path.name} ({work.reader.name}): {read:,} rows in {seconds:.1f} s, {rate:,.0f} rows/s"
        )
        if work.resumed:
            self.stdout.write(f"Including earlier runs, {counts['read']:,} rows:")
        for outcome in ("created", "known", "rejected", "ignored"):
            self.stdout.write(f"  {outcome:9}{counts[outcome]:>12,}")
        for name, words in COUNT_LABELS.items():
            if counts[name]:
                self.stdout.write(f"  {words}: {counts[name]:,}")
        if counts["rejected"]:
            self.stdout.write(f"  Rejected rows and reasons: {work.rejects.path}")
        if not counts["created"]:
            self.stdout.write("Nothing was added.")
