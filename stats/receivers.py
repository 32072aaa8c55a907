"""The counters beside a list's entries follow what clubs and reviews do, in the transaction of what they count."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.dispatch import receiver

from clubs.club.models import Club
from clubs.reading.models import Entry, Progress
from clubs.signals import entry_added, entry_counters_outdated, membership_changed, progress_changed
from reviews.signals import ratings_changed
from stats import services


@receiver(membership_changed)
def count_member(sender: Any, *, club: Club, user: int, sign: int, **kwargs: Any) -> None:
    """Count the ratings and the progress of a member, or count them no more."""
    services.membership_changed(club, user, sign)


@receiver(entry_added)
def count_entry(sender: Any, *, entry: Entry, **kwargs: Any) -> None:
    """Count the members' ratings of a book that has been put on a list."""
    services.entry_added(entry)


@receiver(progress_changed)
def count_progress(sender: Any, *, before: Progress | None, after: Progress, **kwargs: Any) -> None:
    """Count a member's progress in place of the one before."""
    services.progress_changed(before, after)


@receiver(entry_counters_outdated)
def count_again(sender: Any, *, entries: Sequence[int], **kwargs: Any) -> None:
    """Compute the counters of some entries anew."""
    services.recompute_from_zero(entries)


@receiver(ratings_changed)
def count_ratings(sender: Any, *, changes: Mapping[tuple[int, int, int], int], **kwargs: Any) -> None:
    """Count ratings in the clubs of their authors."""
    services.ratings_changed(changes)
