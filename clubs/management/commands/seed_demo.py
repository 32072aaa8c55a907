"""The command `seed_demo`."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clubs.seeding import living
from clubs.seeding.bulk import Seeder, SeedingError
from reviews.seeding import seed_reviews

MOST = 10_000_000
SIZES = ("users", "clubs", "reviews")


class Command(BaseCommand):
    """Fill an installation with readers and clubs: a few that live, or any number of made-up ones."""

    help = (
        "Without sizes: a dozen readers and six clubs, in Portuguese and English, where there are no clubs yet. With "
        "--users, --clubs and --reviews: so many made-up ones, the same for the same --seed. Books come from load_demo."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The sizes, the seed and the password."""
        for name in SIZES:
            parser.add_argument(f"--{name}", type=_size, default=0, metavar="N", help=f"How many {name} to make.")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="Equal seeds make equal rows (1).")
        parser.add_argument("--password", help="Of every reader made; without it nobody can sign in as one of them.")

    def handle(self, **options: Any) -> None:
        """Make them."""
        sizes = {name: options[name] for name in SIZES}
        if not any(sizes.values()):
            self._living(options["password"])
            return
        seeder = Seeder(options["seed"], options["password"], sys.stderr if sys.stderr.isatty() else self.stdout)
        try:
            seeder.run(
                users=sizes["users"],
                clubs=sizes["clubs"],
                then=lambda seeder: seed_reviews(seeder, sizes["reviews"]) if sizes["reviews"] else None,
            )
        except SeedingError as error:
            raise CommandError(str(error)) from None

    def _living(self, password: str | None) -> None:
        made = living.seed(password=password)
        self.stdout.write(f"{made} demo clubs made." if made else "There are clubs already: no demo clubs were made.")


def _size(text: str) -> int:
    """A number of rows, with or without `_` and `,` between the thousands."""
    size = int(text.replace(",", "").replace("_", ""))
    if not 0 <= size <= MOST:
        raise ValueError
    return size
