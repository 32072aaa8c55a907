"""The command `load_demo`."""

import io
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from catalog.importing.files import LineFile
from catalog.importing.formats import reader_of
from catalog.importing.progress import Progress
from catalog.importing.run import Import
from catalog.models import Book

DATA = Path(__file__).resolve().parents[2] / "data"
FILES = ("demo_books.csv", "classicos.csv")


class Command(BaseCommand):
    """Put the books that come with the project into an empty catalogue, all of them or none."""

    help = "Puts some 260 real books into an empty catalogue. Where there are books already it does nothing."

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        """Load the files of catalog/data."""
        if Book.objects.exists():
            self.stdout.write("There are books already: no demo data was loaded.")
            return
        added = sum(self._load(DATA / name) for name in FILES)
        self.stdout.write(f"{added} demo books loaded.")

    def _load(self, path: Path) -> int:
        with LineFile(path) as file:
            work = Import(file, reader_of(file), rejects=Path(os.devnull), batch=1000, restart=True)
            work.run(progress=Progress(io.StringIO(), size=file.size))
        return work.counts["created"]
