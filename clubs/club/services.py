"""Club functions used by other apps."""

from typing import Any

from accounts.models import User
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.roles import MembershipStatus

MAX_PROFILE_CLUBS = 50


def get_profile_clubs(user: User, viewer: User) -> list[dict[str, Any]]:
    """Return the public clubs of `user`, the 50 largest first."""
    clubs = Club.objects.public().filter(memberships__user=user, memberships__status=MembershipStatus.ACTIVE)
    return [{"id": club.pk, "name": club.name} for club in clubs.order_by("-members_count", "-id")[:MAX_PROFILE_CLUBS]]


def remove_from_all_clubs(user: User) -> None:
    """Remove a deleted account from its clubs and delete its reading progress."""
    Membership.objects.remove_user_everywhere(user)
    user.reading_progress.all().delete()
