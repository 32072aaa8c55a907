"""`manage.py clear_expired`."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.departure import depart
from accounts.models import AuthSession, MailToken, User
from bookbridge.api.jobs import Job
from bookbridge.api.models import KeptAnswer


class Command(BaseCommand):
    """Delete what nobody can use any more."""

    help = (
        "Delete sign-ins that ended long ago, mailed tokens that ran out, answers kept for retries and jobs done long "
        "ago. Run it daily."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how much."""
        kinds = {
            "sign-ins": AuthSession.objects.over(),
            "mailed tokens": MailToken.objects.filter(expires_at__lt=timezone.now()),
            "kept answers": KeptAnswer.objects.expired(),
            "jobs": Job.objects.expired(),
        }
        for name, rows in kinds.items():
            deleted, _by_model = rows.delete()
            self.stdout.write(f"{name}: {deleted} deleted")
        cut_off = User.objects.exclude(leaving="")
        for user in cut_off:
            depart(user)
        self.stdout.write(f"accounts that were cut off while they went: {len(cut_off)} deleted")
