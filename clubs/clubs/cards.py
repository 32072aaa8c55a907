"""What an answer shows of a club, read in a constant number of queries however many clubs there are."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from accounts.models import User
from bookbridge.api.registry import club_prefetches
from clubs.clubs.models import ClubQuerySet
from clubs.reading.models import Entry


def cards(clubs: ClubQuerySet, user: User | AnonymousUser) -> ClubQuerySet:
    """`clubs` with their owner and, in the list `current_entries`, what each is reading now, if anything; and
    with what the fields of other apps need.

    The owners come by a query of their own: MariaDB would begin a join with them, and sort a hundred thousand clubs.
    """
    current = Entry.objects.current().select_related("book").defer("book__description", "book__search_text")
    shown = Prefetch("entries", current, to_attr="current_entries")
    contributed = [prefetch(user) for prefetch in club_prefetches.values()]
    return clubs.defer("search_text").prefetch_related("owner", shown, *contributed)
