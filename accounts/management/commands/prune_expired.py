"""`manage.py prune_expired`."""

from typing import Any

from django.core.management.base import BaseCommand

from core.tasks.cleanup import run_cleanup


class Command(BaseCommand):
    """Delete expired rows and files."""

    help = (
        "Deletes expired rows and files: ended sessions, expired tokens, idempotency records, finished tasks, old "
        "notifications, unused images. A periodic task does the same every day."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for name, deleted, _more in run_cleanup():
            self.stdout.write(f"{name}: {deleted} deleted")
