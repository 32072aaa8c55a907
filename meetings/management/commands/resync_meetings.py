"""Resync meetings with the current time zone rules."""

from typing import Any

from django.core.management.base import BaseCommand

from meetings.models import Meeting


class Command(BaseCommand):
    """Recompute the start of upcoming meetings from their local time."""

    help = (
        "After a change of time zone rules (a new tzdata), move upcoming meetings so that they start at the local time "
        "that was set. A daily task does the same; running the command again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Meetings moved: {Meeting.objects.resync_timezones()}")
