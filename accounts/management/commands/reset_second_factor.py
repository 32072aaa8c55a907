"""Lets a member of the staff who has lost their telephone set up another."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.staff.models import SecondFactor


class Command(BaseCommand):
    """`manage.py reset_second_factor alice`"""

    help = "Unties the app that shows codes from an account of the staff; the next sign-in sets up another."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Untie it."""
        user = User.objects.named(options["username"]).first()
        if user is None:
            raise CommandError("Nobody has this name.")
        done = SecondFactor.objects.reset(user, by=None)
        self.stdout.write(f"{user}: {'the next sign-in sets up another app' if done else 'there was no second factor'}")
