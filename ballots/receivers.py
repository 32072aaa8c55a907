"""Receivers of the signals of clubs."""

from typing import Any

from django.db.models import QuerySet
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from ballots.models import Ballot, Candidate
from catalog.models import Merge
from clubs.reading.models import Entry
from clubs.signals import entry_merged, entry_unmerged


@receiver(account_deleted)
def record_anonymized_ballots(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Record changes of the ballots that a deleted account created; they no longer have a creator."""
    record_changes_of(changes_of(Ballot.objects.filter(created_by=user), ChangeType.BALLOT))


@receiver(entry_merged)
def move_candidacies(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the candidacies of an entry, with votes and results, to the entry that stays."""
    both = list(Candidate.objects.filter(entry=target).values_list("ballot", flat=True))
    candidacies = Candidate.objects.filter(entry=source)
    _record_changes(candidacies)
    # A ballot that has both entries keeps both candidacies.
    movable = candidacies.exclude(ballot__in=both)
    merge.record_moved("candidate", movable.values_list("pk", flat=True))
    movable.update(entry=target)


@receiver(entry_unmerged)
def move_candidacies_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the candidacies back when the merge is undone."""
    _record_changes(Candidate.objects.filter(entry=target))
    merge.restore_moved("candidate", Candidate.objects.filter(entry=target), entry=restored)


def _record_changes(candidacies: QuerySet[Candidate]) -> None:
    """Record that the ballots with these candidates have changed."""
    record_changes_of(changes_of(candidacies, ChangeType.BALLOT, object_id="ballot_id", club="ballot__club_id"))
