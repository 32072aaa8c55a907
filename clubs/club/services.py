"""Functions of clubs that span several models."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from accounts.models import USER_SUMMARY, User
from catalog.models import BOOK_SUMMARY, Book
from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from clubs.members.models import Membership
from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry
from clubs.reading.querysets import EntryQuerySet
from clubs.roles import MembershipStatus
from core.db.joins import other_columns
from core.db.prepared import prepared
from core.registry import club_prefetches

MAX_PROFILE_CLUBS = 50
# The entries of `?include=books`.
MAX_INCLUDED_ENTRIES = 100


def prefetch_club_details(
    clubs: ClubQuerySet, user: User | AnonymousUser, *, current_entries: bool = True
) -> ClubQuerySet:
    """Prefetch what `ClubSerializer` needs: owner, `current_entries`, and the registered fields for `user`.

    The owners are prefetched rather than joined, because MariaDB would start the join with them and sort all clubs.
    `current_entries` is False where `load_reading_list` sets them.
    """
    current = Entry.objects.current().select_related("book").defer(*other_columns("book", Book, *BOOK_SUMMARY))
    entries = [Prefetch("entries", current, to_attr="current_entries")] if current_entries else []
    registered = [prefetch(user) for prefetch in club_prefetches.values()]
    return clubs.defer("search_text").prefetch_related("owner", *entries, *registered)


@prepared
def detailed_clubs(user: User | AnonymousUser) -> ClubQuerySet:
    """Return the clubs that `user` may see with what `ClubSerializer` needs."""
    return prefetch_club_details(Club.objects.visible_to(user).with_membership_of(user), user)


@prepared
def detailed_club(user: User | AnonymousUser, with_current_entry: bool) -> ClubQuerySet:
    """Return the same for a single club, for which joining the owner is cheaper than prefetching."""
    clubs = Club.objects.visible_to(user).with_membership_of(user).select_related("owner")
    owned = clubs.defer(*other_columns("owner", User, *USER_SUMMARY))
    registered: list[Any] = [prefetch(user) for prefetch in club_prefetches.values()]
    conditions = {prefetch.flag: prefetch.condition for prefetch in registered if hasattr(prefetch, "flag")}
    return prefetch_club_details(owned.annotate(**conditions), user, current_entries=with_current_entry)


@prepared
def reading_list(user: User | AnonymousUser, club_id: int) -> EntryQuerySet:
    """Return the entries of a club as a response to `user` shows them."""
    return Entry.objects.filter(club=club_id).with_details_for(user)


def load_reading_list(club: Club, user: User | AnonymousUser) -> list[Entry]:
    """Return the first entries of the reading list in order, and set `current_entries` of the club from them."""
    entries: Any = reading_list(user, club.pk)
    loaded: list[Entry] = entries.top(MAX_INCLUDED_ENTRIES, "position")
    current = [entry for entry in loaded if entry.status == EntryStatus.READING]
    if not current and len(loaded) == MAX_INCLUDED_ENTRIES:
        current = list(entries.filter(status=EntryStatus.READING).order_by("position")[:1])
    club.current_entries = current[:1]  # type: ignore[attr-defined]
    return loaded


def get_profile_clubs(user: User, viewer: User) -> list[dict[str, Any]]:
    """Return the public clubs of `user`, the 50 largest first."""
    clubs = Club.objects.public().filter(memberships__user=user, memberships__status=MembershipStatus.ACTIVE)
    return [{"id": club.pk, "name": club.name} for club in clubs.order_by("-members_count", "-id")[:MAX_PROFILE_CLUBS]]


def remove_from_all_clubs(user: User) -> None:
    """Remove a deleted account from its clubs and delete its reading progress."""
    Membership.objects.remove_user_everywhere(user)
    user.reading_progress.all().delete()
    user.spoiler_consents.all().delete()
