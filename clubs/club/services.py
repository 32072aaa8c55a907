"""Functions of clubs that span several models."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from accounts.models import User
from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from clubs.members.models import Membership
from clubs.reading.models import Entry
from clubs.roles import MembershipStatus
from core.registry import club_prefetches

MAX_PROFILE_CLUBS = 50


def prefetch_club_details(clubs: ClubQuerySet, user: User | AnonymousUser) -> ClubQuerySet:
    """Prefetch what `ClubSerializer` needs: owner, `current_entries`, and the registered fields for `user`.

    The owners are prefetched rather than joined, because MariaDB would start the join with them and sort all clubs.
    """
    current = Entry.objects.current().select_related("book").defer("book__description", "book__search_text")
    entries = Prefetch("entries", current, to_attr="current_entries")
    registered = [prefetch(user) for prefetch in club_prefetches.values()]
    return clubs.defer("search_text").prefetch_related("owner", entries, *registered)


def get_profile_clubs(user: User, viewer: User) -> list[dict[str, Any]]:
    """Return the public clubs of `user`, the 50 largest first."""
    clubs = Club.objects.public().filter(memberships__user=user, memberships__status=MembershipStatus.ACTIVE)
    return [{"id": club.pk, "name": club.name} for club in clubs.order_by("-members_count", "-id")[:MAX_PROFILE_CLUBS]]


def remove_from_all_clubs(user: User) -> None:
    """Remove a deleted account from its clubs and delete its reading progress."""
    Membership.objects.remove_user_everywhere(user)
    user.reading_progress.all().delete()
