"""Queries for the public summary of clubs."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from accounts.models import User
from clubs.clubs.models import ClubQuerySet
from clubs.meetings.models import Meeting
from clubs.reading.models import Entry


def cards(clubs: ClubQuerySet, user: User | AnonymousUser) -> ClubQuerySet:
    """Prefetch the owners, `current_entries` and `next_meetings` (with the RSVP of `user`) of `clubs`.

    The owners are prefetched rather than joined, because MariaDB would start the join with them and sort all clubs.
    """
    current = Entry.objects.current().select_related("book").defer("book__description", "book__search_text")
    shown = Prefetch("entries", current, to_attr="current_entries")
    meeting = Prefetch("meetings", Meeting.objects.next_for().with_answer_of(user), to_attr="next_meetings")
    return clubs.defer("search_text").prefetch_related("owner", shown, meeting)
