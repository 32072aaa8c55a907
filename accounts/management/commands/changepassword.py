"""The command `changepassword`."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError

from accounts.models import User


class Command(changepassword.Command):
    """Django's, and every sign-in of the account ends, as with any other change of a password."""

    help = "Changes the password of an account and ends its sign-ins."

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Ask for the new password, write it, end the sign-ins."""
        if not options["username"]:
            raise CommandError("Whose password? Name the account.")
        said = super().handle(*args, **options)
        User.objects.get_by_natural_key(options["username"]).save_password()
        return said
