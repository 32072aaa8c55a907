"""`manage.py migrate`, one at a time, and continued after an interruption."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DatabaseError, connections

from core.db.mysql.schema import is_already_changed

# The longest wait for another migrate.
LOCK_SECONDS = 1800


class Command(migrate.Command):
    """Django's command; with `--continue` it skips the changes that an interrupted run has made."""

    resumed: Any

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--continue",
            dest="resume",
            action="store_true",
            help="Continue on MariaDB or MySQL after a migrate that was interrupted: in the first migration, "
            "changes that are already in the database are skipped.",
        )

    def handle(self, *args: Any, **options: Any) -> str | None:
        self.resumed = connections[options["database"]]
        self.resumed.resuming = options.get("resume", False)
        try:
            with _lock(options["database"]):
                result: str | None = super().handle(*args, **options)
                return result
        except DatabaseError as error:
            if self.resumed.vendor != "mysql" or options.get("resume") or not is_already_changed(error):
                raise
            hint = "If a migrate was interrupted before, continue it with: manage.py migrate --continue"
            raise CommandError(f"{error.args[-1]}. {hint}") from error
        finally:
            self.resumed.resuming = False

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        super().migration_progress_callback(action, migration, fake)
        if action == "apply_success":  # only one migration can have been interrupted
            self.resumed.resuming = False


@contextmanager
def _lock(alias: str) -> Iterator[None]:
    """Let only one migrate of a database run, on however many machines. On Galera the lock is that of a node."""
    if connections[alias].vendor != "mysql":
        yield
        return
    holder = connections[alias].copy()
    name = "migrate " + sha256(str(holder.settings_dict["NAME"]).encode()).hexdigest()[:32]
    end = time.monotonic() + LOCK_SECONDS
    try:
        with holder.cursor() as cursor:
            # Short waits, for a connection with a read timeout.
            while not cursor.execute("SELECT GET_LOCK(%s, 1)", [name]) or not cursor.fetchone()[0]:
                if time.monotonic() > end:
                    raise CommandError("another migrate is running")
            yield
    finally:
        holder.close()
