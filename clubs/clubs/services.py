"""Club functions used by other apps."""

from typing import Any

from accounts.models import User
from clubs.clubs.models import Club
from clubs.members.models import Membership
from clubs.roles import Status

MOST_ON_PROFILE = 50


def clubs_of_profile(user: User, viewer: User) -> list[dict[str, Any]]:
    """Return the public clubs of `user`, the 50 largest first."""
    clubs = Club.objects.public().filter(memberships__user=user, memberships__status=Status.ACTIVE)
    return [{"id": club.pk, "name": club.name} for club in clubs.order_by("-members_count", "-id")[:MOST_ON_PROFILE]]


def leave_all(user: User) -> None:
    """Remove a deleted account from its clubs and delete its reading progress."""
    Membership.objects.end_all(user)
    user.reading_marks.all().delete()
