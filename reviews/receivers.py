"""Receivers of signals of other apps."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from reviews.models import Review


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, anonymize: bool, **kwargs: Any) -> None:
    """Anonymize or delete the reviews of a deleted account, and delete its likes."""
    Review.objects.detach_user(user, anonymize=anonymize)
