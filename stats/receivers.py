"""Receivers that update the counters of reading list entries, in the transaction of the change they count."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.dispatch import receiver

from clubs.club.models import Club
from clubs.reading.models import Entry, Progress
from clubs.signals import (
    club_visibility_changed,
    entry_added,
    entry_counters_outdated,
    membership_changed,
    progress_changed,
)
from reviews.signals import ratings_changed
from stats import counters


@receiver(membership_changed)
def update_member(sender: Any, *, club: Club, user_id: int, sign: int, **kwargs: Any) -> None:
    """Add the ratings and progress of a new member, or subtract those of a former one."""
    counters.apply_membership_change(club, user_id, sign)


@receiver(entry_added)
def add_entry(sender: Any, *, entry: Entry, **kwargs: Any) -> None:
    """Add the members' ratings of a book that was added to a list."""
    counters.count_entry(entry)


@receiver(progress_changed)
def update_progress(sender: Any, *, before: Progress | None, after: Progress | None, **kwargs: Any) -> None:
    """Subtract the old progress of a member and add the new one."""
    counters.count_progress(before, after)


@receiver(entry_counters_outdated)
def recompute_entries(sender: Any, *, entries: Sequence[int], **kwargs: Any) -> None:
    """Recompute the counters of some entries."""
    counters.recompute_from_zero(entries)


@receiver(club_visibility_changed)
def recompute_club(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Recompute the counters of a club's list, because other ratings count in a private club than in a public one."""
    counters.recompute_from_zero(list(Entry.objects.filter(club=club).values_list("pk", flat=True)))


@receiver(ratings_changed)
def update_ratings(sender: Any, *, changes: Mapping[tuple[int, int, int, bool], int], **kwargs: Any) -> None:
    """Apply changed ratings to the clubs of their authors."""
    counters.apply_rating_changes(changes)
