"""What an answer shows of a club, read in a constant number of queries however many clubs there are."""

from django.db.models import Prefetch

from clubs.clubs.models import ClubQuerySet
from clubs.reading.models import Entry


def cards(clubs: ClubQuerySet) -> ClubQuerySet:
    """`clubs` with their owner and, in the list `current_entries`, what each is reading now, if anything.

    The owners come by a query of their own: MariaDB would begin a join with them, and sort a hundred thousand clubs.
    """
    current = Entry.objects.current().select_related("book").defer("book__description", "book__search_text")
    shown = Prefetch("entries", current, to_attr="current_entries")
    return clubs.defer("search_text").prefetch_related("owner", shown)
