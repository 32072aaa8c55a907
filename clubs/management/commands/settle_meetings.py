"""`manage.py settle_meetings`."""

from typing import Any

from django.core.management.base import BaseCommand

from clubs.meetings.models import Meeting


class Command(BaseCommand):
    """Let meetings to come follow the wall clocks of their zones."""

    help = (
        "Where the rules of a time zone have changed (a new tzdata), move the meetings to come so that they begin at "
        "the hour that was agreed on. A job does the same daily; running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Move them, and say how many."""
        self.stdout.write(f"meetings moved: {Meeting.objects.settle()}")
