"""Cleanup of expired rows and interrupted account deletions."""

from accounts.departure import depart
from accounts.models import User


def finish_deletions() -> int:
    """Finish some of the interrupted account deletions; return how many."""
    pending = list(User.objects.exclude(leaving="")[:10])
    for user in pending:
        depart(user)
    return len(pending)
