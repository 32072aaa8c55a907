"""Prepare the database and the static files for the server."""

import io
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run migrate, and on request seed_demo and collectstatic, in one process: each start of Django takes seconds."""

    help = "Apply migrations, create demo data (--demo) and collect static files (--static), in one process."

    # The database may have no tables yet. migrate runs its own checks.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="Create demo data if there is none.")
        parser.add_argument("--password", help="Password of the demo users; without it none can log in.")
        parser.add_argument("--static", action="store_true", help="Collect static files if any has changed.")

    def handle(self, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if options["demo"]:
            call_command("seed_demo", books=True, password=options["password"], stdout=self.stdout)
        if options["static"] and self._static_files_have_changed():
            call_command("collectstatic", interactive=False, verbosity=0)

    @staticmethod
    def _static_files_have_changed() -> bool:
        """Return whether collectstatic would copy a file. Another server may be serving those that it would replace."""
        output = io.StringIO()
        call_command("collectstatic", interactive=False, dry_run=True, stdout=output)
        return not output.getvalue().strip().rpartition("\n")[2].startswith("0 static files ")
