"""What accounts leave behind that nobody can use any more."""

from accounts.departure import depart
from accounts.models import User


def finish_deletions() -> int:
    """Delete some of the accounts whose deletion was cut off; return how many."""
    cut_off = list(User.objects.exclude(leaving="")[:10])
    for user in cut_off:
        depart(user)
    return len(cut_off)
