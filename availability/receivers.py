"""Receivers of the signals of clubs."""

from typing import Any

from django.dispatch import receiver

from availability.models import Availability
from catalog.models import Merge
from clubs.reading.models import Entry
from clubs.signals import entry_merged, entry_unmerged, member_left


@receiver(member_left)
def delete_answers_of_former_member(sender: Any, *, club_id: int, user_id: int, **kwargs: Any) -> None:
    """Delete the answers of a former member, to whom nothing is lent any more."""
    answers = Availability.objects.filter(entry__club=club_id)
    answers.filter(user=user_id).delete()
    lent = list(answers.filter(lent_to=user_id).order_by("pk").values_list("pk", flat=True))
    Availability.objects.filter(pk__in=lent).update(lent_to=None)


@receiver(entry_merged)
def move_answers(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the answers to the entry that stays, of users who have none there."""
    users = list(Availability.objects.filter(entry=target).values_list("user", flat=True))
    answers = Availability.objects.filter(entry=source).exclude(user__in=users)
    moved = list(answers.values_list("pk", flat=True))
    Availability.objects.filter(pk__in=moved).update(entry=target)
    merge.record_moved("availability", moved)


@receiver(entry_unmerged)
def move_answers_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the answers back when the merge is undone."""
    merge.restore_moved("availability", Availability.objects.filter(entry=target), entry=restored)
