"""Load the demo books."""

import io
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from catalog.imports.formats import detect_format
from catalog.imports.importer import CatalogImporter
from catalog.imports.lines import LineReader
from catalog.models import Book
from core.management.progress import ProgressReporter

DATA = settings.BASE_DIR / "catalog" / "data"
FILES = ("demo_books.csv", "classicos.csv")


class Command(BaseCommand):
    """Load the books that come with the project into an empty catalog, all or none."""

    help = "Load about 260 real books into an empty catalog. Does nothing if there are any books."

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        if Book.objects.exists():
            self.stdout.write("The catalog is not empty: no demo data was loaded.")
            return
        added = sum(self._load(DATA / name) for name in FILES)
        self.stdout.write(f"{added} demo books loaded.")

    def _load(self, path: Path) -> int:
        with LineReader(path) as file:
            importer = CatalogImporter(
                file, detect_format(file), rejects=Path(os.devnull), batch_size=1000, restart=True
            )
            importer.run(progress=ProgressReporter(io.StringIO(), size=file.size))
        return importer.counts["created"]
