"""Prune the audit log and the log of case views, and record that in the audit log."""

import datetime
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.audit.retention import count_prunable, prune

MIN_DAYS = 30


class Command(BaseCommand):
    """`manage.py prune_audit_log --older-than 365d`"""

    help = "Deletes old entries of the audit log and of the log of case views. At least the last 30 days are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", required=True, help="such as 365d")
        parser.add_argument("--dry-run", action="store_true", help="only count the entries")

    def handle(self, *args: Any, older_than: str, dry_run: bool, **rest: Any) -> None:
        days = re.fullmatch(r"([0-9]{1,5})d?", older_than)
        if not days or int(days[1]) < MIN_DAYS:
            raise CommandError(f"--older-than must be a number of days such as 365d, {MIN_DAYS}d at least")
        age = datetime.timedelta(days=int(days[1]))
        count = count_prunable(age) if dry_run else prune(age)
        self.stdout.write(f"{count:,} entries {'would be' if dry_run else 'were'} deleted.")
