"""Management command that compares all counters with the rows they count."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.counters.consistency import DenormalizationCheck
from core.management.arguments import batch_size
from core.management.progress import ProgressReporter
from core.registry import column_checks, counter_checks


class Command(BaseCommand):
    """Compare every counter with the rows it counts."""

    help = (
        "Recounts every stored counter (ratings, likes, reviews, members, clubs that read a book) in batches, while "
        "the server may be running, and prints each difference. Exits with status 1 if differences remain."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="correct wrong counters, locking each row")
        parser.add_argument("--batch-size", metavar="N", type=batch_size, default=1000, help="rows at a time [1000]")

    def handle(self, *, repair: bool, batch_size: int, **rest: Any) -> None:
        """Run all checks. Raises CommandError if differences were found and not repaired."""
        found = sum(self._verify(check, repair=repair, batch_size=batch_size) for check in column_checks.values())
        found += sum(self._verify_totals(name, repair=repair) for name in counter_checks)
        if not found:
            self.stdout.write("All counters are correct.")
        elif repair:
            self.stdout.write(f"{found:,} differences, all repaired.")
        else:
            raise CommandError(f"{found:,} differences; use --repair to correct them.")

    def _verify_totals(self, name: str, *, repair: bool) -> int:
        """Print the differences of one total; return their number."""
        differences = counter_checks[name].differences(repair=repair)
        for difference in differences:
            self.stdout.write(str(difference))
        self.stdout.write(f"{name}: {len(differences):,} differences")
        return len(differences)

    def _verify(self, check: DenormalizationCheck, *, repair: bool, batch_size: int) -> int:
        """Print the differences of one check; return their number."""
        progress = ProgressReporter(sys.stderr, size=check.model._base_manager.count())
        progress.start(check.name)
        rows = found = 0
        for ids in check.batches(batch_size):
            for difference in check.differences(ids, repair=repair):
                self.stdout.write(str(difference))
                found += 1
            for _pk in ids:
                rows += 1
                progress.advance(rows)
        progress.finish()
        self.stdout.write(f"{check.name}: {rows:,} rows, {found:,} differences")
        return found
