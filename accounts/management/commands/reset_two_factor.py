"""`manage.py reset_two_factor`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.two_factor.models import TOTPDevice


class Command(BaseCommand):
    """Resets two-factor authentication of a staff user who has lost their device."""

    help = "Remove the authenticator app of a staff account; the next sign-in sets up another one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.with_username(options["username"]).first()
        if user is None:
            raise CommandError("No user has this name.")
        was_reset = TOTPDevice.objects.reset(user, by=None)
        result = "the next sign-in sets up another app" if was_reset else "it had not been set up"
        self.stdout.write(f"{user}: {result}")
