"""`manage.py changepassword`."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError

from accounts.models import User


class Command(changepassword.Command):
    """Django's command, which additionally revokes every session of the account."""

    help = "Change the password of an account and revoke its sessions."

    def handle(self, *args: Any, **options: Any) -> str | None:
        if not options["username"]:
            raise CommandError("Enter the username of the account.")
        message = super().handle(*args, **options)
        User.objects.get_by_natural_key(options["username"]).save_password()
        return message
