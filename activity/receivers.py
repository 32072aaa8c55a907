"""Receivers of the signals of accounts."""

from typing import Any

from django.dispatch import receiver

from accounts.events import AccountEvent
from accounts.models import User
from accounts.signals import account_detached, account_event
from activity import account_events
from activity.changes.services import record_block_changes


@receiver(account_event)
def record_account_event(sender: Any, *, event: AccountEvent, **kwargs: Any) -> None:
    """Record the event, and notify the user if it concerns the security of their account."""
    account_events.handle_account_event(event)
    if event.verb in ("user.blocked", "user.unblocked") and event.user and event.object_id:
        record_block_changes(event.user, event.object_id)


@receiver(account_detached)
def anonymize_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Delete or anonymize the events and notifications of a deleted account."""
    account_events.anonymize(user)
