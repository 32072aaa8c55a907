"""Restore a backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from core.backup import databases
from core.backup.archive import read_manifest, restore_backup
from core.backup.progress import ByteProgress


class Command(BaseCommand):
    """Load a backup into an empty database. No server may be running."""

    help = (
        "Load a backup that `backup` has written into an empty database and MEDIA_DIR. Checks its checksums before "
        "anything is changed. Run migrate afterwards if the backup is of an older release."
    )

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="Delete all tables of the database first.")

    def handle(self, **options: Any) -> None:
        manifest = read_manifest(options["backup"])
        if connection.introspection.table_names():
            if not options["overwrite"]:
                raise CommandError("The database has tables. Name an empty one, or delete them with --overwrite.")
            databases.drop_all_tables()
        size = (options["backup"] / databases.dump_name()).stat().st_size
        restore_backup(options["backup"], ByteProgress(size, self.stderr).add)
        self.stdout.write(f"Restored the backup of {manifest['created_at']}.")
