"""Queries for the public summary of clubs."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from accounts.models import User
from clubs.club.models import ClubQuerySet
from clubs.reading.models import Entry
from core.registry import club_prefetches


def cards(clubs: ClubQuerySet, user: User | AnonymousUser) -> ClubQuerySet:
    """Prefetch the owners and `current_entries` of `clubs`, and what the registered fields need for `user`.

    The owners are prefetched rather than joined, because MariaDB would start the join with them and sort all clubs.
    """
    current = Entry.objects.current().select_related("book").defer("book__description", "book__search_text")
    shown = Prefetch("entries", current, to_attr="current_entries")
    contributed = [prefetch(user) for prefetch in club_prefetches.values()]
    return clubs.defer("search_text").prefetch_related("owner", shown, *contributed)
