"""Receivers of the signals of accounts."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from moderation.deletion import anonymize_cases


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Close the case about a deleted account, and delete the appeals of the account."""
    anonymize_cases(user)
