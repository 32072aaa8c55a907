"""Receivers of signals of other apps."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from catalog.models import Merge
from clubs.reading.models import Entry, Progress
from clubs.signals import entry_merged, entry_unmerged, progress_changed
from readings import services
from readings.models import Reading


@receiver(progress_changed)
def record_progress(
    sender: Any, *, user: User, entry: Entry, before: Progress | None, after: Progress | None, **kwargs: Any
) -> None:
    """Save the reading of a member's progress."""
    services.record_progress(user=user, entry=entry, before=before, after=after)


@receiver(account_deleted)
def delete_readings(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Delete the readings of a deleted account."""
    Reading.objects.filter(user=user).delete()


@receiver(entry_merged)
def move_readings(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the readings of an entry to the entry that it is merged into."""
    readings = Reading.objects.filter(entry=source)
    merge.record_moved("reading_entry", readings.values_list("pk", flat=True))
    readings.update(entry=target)


@receiver(entry_unmerged)
def move_readings_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move them back when the merge is undone."""
    merge.restore_moved("reading_entry", Reading.objects.filter(entry=target), entry=restored)
