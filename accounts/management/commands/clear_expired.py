"""`manage.py clear_expired`."""

from typing import Any

from django.core.management.base import BaseCommand

from bookbridge.api.expiry import clear


class Command(BaseCommand):
    """Deletes expired data."""

    help = (
        "Delete expired data: sessions that ended long ago, expired e-mail tokens, responses stored for retries, "
        "finished tasks, old notifications and orphaned images. The task queue runs this daily."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for name, done, _more in clear():
            self.stdout.write(f"{name}: {done} deleted")
