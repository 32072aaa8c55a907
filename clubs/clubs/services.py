"""What other apps ask of clubs."""

from typing import Any

from accounts.models import User
from clubs.clubs.models import Club
from clubs.members.models import Membership
from clubs.roles import Status

MOST_ON_PROFILE = 50


def clubs_of_profile(user: User, viewer: User) -> list[dict[str, Any]]:
    """The public clubs that `user` is in, the largest first and not all of a great many."""
    clubs = Club.objects.public().filter(memberships__user=user, memberships__status=Status.ACTIVE)
    return [{"id": club.pk, "name": club.name} for club in clubs.order_by("-members_count", "-id")[:MOST_ON_PROFILE]]


def leave_all(user: User) -> None:
    """Part an account that goes from its clubs and from its marks in their reading lists."""
    Membership.objects.end_all(user)
    user.reading_marks.all().delete()
