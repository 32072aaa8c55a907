"""Create demo data."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from demo import sample
from demo.bulk import Seeder, SeedingError
from demo.bulk_reviews import seed_reviews

MAX_SIZE = 10_000_000
SIZES = ("users", "clubs", "reviews")


class Command(BaseCommand):
    """Create a sample of users and clubs, or any number of generated ones."""

    help = (
        "Without sizes, create a dozen users and six clubs in Portuguese and English, unless there are any clubs. With "
        "--users, --clubs and --reviews, create that many, identical for the same --seed. Books come from load_demo."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in SIZES:
            parser.add_argument(f"--{name}", type=_size, default=0, metavar="N", help=f"Number of {name} to create.")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="Seed of the random numbers (default: 1).")
        parser.add_argument("--books", action="store_true", help="Run load_demo first.")
        parser.add_argument(
            "--password", help="Password of the created users; without it nobody can log in as one of them."
        )

    def handle(self, **options: Any) -> None:
        if options["books"]:
            call_command("load_demo", stdout=self.stdout)
        sizes = {name: options[name] for name in SIZES}
        if not any(sizes.values()):
            self._seed_sample(options["password"])
            return
        seeder = Seeder(options["seed"], options["password"], sys.stderr if sys.stderr.isatty() else self.stdout)
        try:
            seeder.run(
                users=sizes["users"],
                clubs=sizes["clubs"],
                create_more=lambda seeder: seed_reviews(seeder, sizes["reviews"]) if sizes["reviews"] else None,
            )
        except SeedingError as error:
            raise CommandError(str(error)) from None

    def _seed_sample(self, password: str | None) -> None:
        count = sample.seed(password=password)
        self.stdout.write(
            f"{count} demo clubs created." if count else "There are clubs already: no demo clubs were created."
        )


def _size(text: str) -> int:
    """Parse a number of rows, with optional `_` or `,` as thousands separators."""
    size = int(text.replace(",", "").replace("_", ""))
    if not 0 <= size <= MAX_SIZE:
        raise ValueError
    return size
