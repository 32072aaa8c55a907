"""What an answer shows of a club, read in a constant number of queries however many clubs there are."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from accounts.models import User
from clubs.clubs.models import ClubQuerySet
from clubs.meetings.models import Meeting
from clubs.reading.models import Entry


def cards(clubs: ClubQuerySet, user: User | AnonymousUser) -> ClubQuerySet:
    """`clubs` with their owner and, in the lists `current_entries` and `next_meetings`, what each is reading now and
    its next meeting with the answer of `user`, if anything.

    The owners come by a query of their own: MariaDB would begin a join with them, and sort a hundred thousand clubs.
    """
    current = Entry.objects.current().select_related("book").defer("book__description", "book__search_text")
    shown = Prefetch("entries", current, to_attr="current_entries")
    meeting = Prefetch("meetings", Meeting.objects.next_for().with_answer_of(user), to_attr="next_meetings")
    return clubs.defer("search_text").prefetch_related("owner", shown, meeting)
