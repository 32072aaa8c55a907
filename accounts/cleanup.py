"""Cleanup of expired rows and interrupted account deletions."""

from accounts.deletion import erase
from accounts.models import User


def finish_deletions() -> int:
    """Finish some of the interrupted account deletions; return how many."""
    pending = list(User.objects.exclude(reviews_on_deletion="")[:10])
    for user in pending:
        erase(user)
    return len(pending)
