"""The command `import_books`."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from catalog.importing.files import BrokenFileError, LineFile
from catalog.importing.formats import FORMATS, UnknownFormatError, reader_of
from catalog.importing.progress import Progress
from catalog.importing.run import Import
from catalog.importing.signals import StopSignals

# What is told at the end beside the rows, where it is not zero.
NOTES = {
    "isbn": "ISBNs that could not be used",
    "isbn_elsewhere": "ISBNs that another book has",
    "merged": "works that turned out to be a book that was there",
    "year": "years that could not be used",
    "pages": "numbers of pages that could not be used",
    "cover": "covers that could not be used",
    "authors": "lists of authors that were cut",
    "subjects": "subjects that could not be used",
    "description": "descriptions that could not be used",
    "publisher": "publishers that could not be used",
    "format": "formats that could not be used",
}


def batch_size(text: str) -> int:
    """A number of rows from 1 to 10,000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 10_000:
        raise ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)


class Command(BaseCommand):
    """Import books from a file. What it reads and how is told in `catalog.importing`."""

    help = (
        "Imports books from FILE: goodbooks-10k's books.csv, a list of your own (key,title,authors[,published_year,"
        "language,isbn]), or Open Library's dumps of authors, works and editions (in this order, or all in one file); "
        "plain or gzip. Stopped in the middle it goes on where it was; run again it adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's arguments."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", choices=FORMATS, default="", help="the format, where it is not to be guessed")
        parser.add_argument("--rejects", metavar="FILE", type=Path, help="rows that do not come in [NAME.rejects.csv]")
        parser.add_argument("--batch", metavar="N", type=batch_size, default=1000, help="rows a transaction [1000]")
        parser.add_argument("--restart", action="store_true", help="from the first line, wherever an import stands")

    def handle(
        self, *, file: Path, format: str, rejects: Path | str | None, batch: int, restart: bool, **rest: Any
    ) -> None:
        """Import the file; exit status 1 where it breaks off, 128 and the signal's number where it is stopped."""
        try:
            with LineFile(file) as lines:
                reader = reader_of(lines, format)
                rejects = Path(rejects or f"{file.name}.rejects.csv").absolute()
                self._run(Import(lines, reader, rejects=rejects, batch=batch, restart=restart))
        except BrokenFileError as error:
            raise CommandError(f"{file} cannot be read on, {error}. What came before is in.") from error
        except UnknownFormatError as error:
            raise CommandError(f"{file} has no format that is known here ({error}).") from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}") from error
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}. Run again to go on.") from error

    def _run(self, work: Import) -> None:
        if work.resumed:
            self.stdout.write(f"Going on at line {work.point.next_line:,} of {work.file.path.name}.")
        began, before = time.monotonic(), work.counts["read"]
        finished = False
        with StopSignals() as signals:
            try:
                finished = work.run(progress=Progress(sys.stderr, size=work.file.size), stopped=signals.stopped)
            finally:
                self._tell(work, seconds=time.monotonic() - began, read=work.counts["read"] - before)
        if not finished and signals.received:
            self.stdout.write(f"Stopped before line {work.point.next_line:,}. Run the command again to go on.")
            sys.exit(128 + signals.received)

    def _tell(self, work: Import, *, seconds: float, read: int) -> None:
        counts = work.counts
        rate = read / max(seconds, 0.001)
        self.stdout.write(
            f"{work.file.path.name} ({work.reader.name}): {read:,} rows in {seconds:.1f} s, {rate:,.0f} rows/s"
        )
        if work.resumed:
            self.stdout.write(f"With the earlier runs {counts['read']:,} rows:")
        for outcome in ("created", "known", "rejected", "ignored"):
            self.stdout.write(f"  {outcome:9}{counts[outcome]:>12,}")
        for name, words in NOTES.items():
            if counts[name]:
                self.stdout.write(f"  {words}: {counts[name]:,}")
        if counts["rejected"]:
            self.stdout.write(f"  The rejected rows and the reasons are in {work.rejects.path}")
        if not counts["created"]:
            self.stdout.write("Nothing was added.")
