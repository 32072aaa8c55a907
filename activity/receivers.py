"""What activity does on the signals of accounts."""

from typing import Any

from django.dispatch import receiver

from accounts.happenings import Happening
from accounts.models import User
from accounts.signals import account_detached, account_event
from activity import listening


@receiver(account_event)
def record_account_event(sender: Any, *, event: Happening, **kwargs: Any) -> None:
    """Record the event, and notify the user if it touches the safety of their account."""
    listening.note(event)


@receiver(account_detached)
def anonymize_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Delete or anonymize the events and notifications of a deleted account."""
    listening.forget(user)
