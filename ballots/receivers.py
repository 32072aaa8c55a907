"""Receivers of the signals of clubs."""

from typing import Any

from django.dispatch import receiver

from ballots.models import Candidate
from catalog.models import Merge
from clubs.reading.models import Entry
from clubs.signals import entry_merged, entry_unmerged


@receiver(entry_merged)
def move_candidacies(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the candidacies of an entry to the one that stays."""
    both = list(Candidate.objects.filter(entry=target).values_list("ballot", flat=True))
    candidacies = Candidate.objects.filter(entry=source)
    merge.record_moved("candidate", candidacies.exclude(ballot__in=both).values_list("pk", flat=True))
    candidacies.reassign(to=target)


@receiver(entry_unmerged)
def move_candidacies_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the candidacies back when the merge is undone."""
    merge.restore_moved("candidate", Candidate.objects.filter(entry=target), entry=restored)
