"""Takes old entries out of the audit log, and out of that of opened cases, and notes that it did."""

import datetime
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bookbridge.api.audit.retention import clear, count_old

LEAST_DAYS = 30


class Command(BaseCommand):
    """`manage.py clear_audit --older-than 365d`"""

    help = "Deletes what the audit log and the log of opened cases have that is older than some days, 30 at least."

    def add_arguments(self, parser: CommandParser) -> None:
        """How old, and whether to count alone."""
        parser.add_argument("--older-than", required=True, help="such as 365d")
        parser.add_argument("--dry-run", action="store_true", help="count them and delete nothing")

    def handle(self, *args: Any, older_than: str, dry_run: bool, **rest: Any) -> None:
        """Count or delete."""
        days = re.fullmatch(r"([0-9]{1,5})d?", older_than)
        if not days or int(days[1]) < LEAST_DAYS:
            raise CommandError(f"--older-than must be a number of days such as 365d, {LEAST_DAYS}d at least")
        age = datetime.timedelta(days=int(days[1]))
        count = count_old(age) if dry_run else clear(age)
        self.stdout.write(f"{count:,} entries {'would be' if dry_run else 'were'} deleted.")
