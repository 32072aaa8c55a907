"""`manage.py clear_expired`."""

from typing import Any

from django.core.management.base import BaseCommand

from bookbridge.api.expiry import clear


class Command(BaseCommand):
    """Delete what nobody can use any more."""

    help = (
        "Delete what nobody can use any more: sign-ins that ended long ago, mailed tokens that ran out, answers kept "
        "for retries, jobs done long ago, old notifications, pictures that nothing shows. The job queue does it daily "
        "by itself."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how much."""
        for name, done, _more in clear():
            self.stdout.write(f"{name}: {done} deleted")
