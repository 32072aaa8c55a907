"""The command `verify_figures`."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from bookbridge.api.registry import column_checks, counter_checks
from bookbridge.api.verification import Check
from catalog.importing.progress import Progress


def chunk_size(text: str) -> int:
    """A number of rows from 1 to 10,000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 10_000:
        raise ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)


class Command(BaseCommand):
    """Compare every figure with the rows it counts."""

    help = (
        "Counts every figure afresh from its rows (ratings, likes, reviews, members, clubs that read a book), in "
        "chunks and while the server runs, and tells each difference. The exit status is 1 where one is left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's arguments."""
        parser.add_argument("--repair", action="store_true", help="set what is wrong right, each row under its lock")
        parser.add_argument("--chunk", metavar="N", type=chunk_size, default=1000, help="rows at a time [1000]")

    def handle(self, *, repair: bool, chunk: int, **rest: Any) -> None:
        """Exit status 1 where differences were found and not repaired."""
        found = sum(self._verify(check, repair=repair, chunk=chunk) for check in column_checks.values())
        found += sum(self._recount(name, repair=repair) for name in counter_checks)
        if not found:
            self.stdout.write("Every figure is right.")
        elif repair:
            self.stdout.write(f"{found:,} differences, all repaired.")
        else:
            self.stdout.write(f"{found:,} differences; --repair sets them right.")
            sys.exit(1)

    def _recount(self, name: str, *, repair: bool) -> int:
        """Tell the differences of one total; how many there are."""
        differences = counter_checks[name].differences(repair=repair)
        for difference in differences:
            self.stdout.write(str(difference))
        self.stdout.write(f"{name}: {len(differences):,} differences")
        return len(differences)

    def _verify(self, check: Check, *, repair: bool, chunk: int) -> int:
        """Tell the differences of one check; how many there are."""
        progress = Progress(sys.stderr, size=check.model._base_manager.count())
        progress.begin(check.name)
        rows = found = 0
        for ids in check.chunks(chunk):
            for difference in check.differences(ids, repair=repair):
                self.stdout.write(str(difference))
                found += 1
            for _pk in ids:
                rows += 1
                progress.row(rows)
        progress.end()
        self.stdout.write(f"{check.name}: {rows:,} rows, {found:,} differences")
        return found
