"""What ballots do on the signals of clubs."""

from typing import Any

from django.dispatch import receiver

from catalog.merging.models import Merge
from clubs.ballots.models import Candidate
from clubs.reading.models import Entry
from clubs.signals import entry_merged, entry_unmerged


@receiver(entry_merged)
def move_candidacies(sender: Any, *, merge: Merge, gone: Entry, kept: Entry, **kwargs: Any) -> None:
    """Move the candidacies of an entry to the one that stays."""
    both = list(Candidate.objects.filter(entry=kept).values_list("ballot", flat=True))
    candidacies = Candidate.objects.filter(entry=gone)
    merge.note("candidate", candidacies.exclude(ballot__in=both).values_list("pk", flat=True))
    candidacies.hand_over(to=kept)


@receiver(entry_unmerged)
def move_candidacies_back(sender: Any, *, merge: Merge, kept: Entry, again: Entry, **kwargs: Any) -> None:
    """Move them back."""
    merge.restore_moved("candidate", Candidate.objects.filter(entry=kept), entry=again)
