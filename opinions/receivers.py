"""Receivers of the signals of clubs and meetings."""

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from catalog.models import Merge
from clubs.reading.models import Entry
from clubs.signals import entry_merged, entry_unmerged, member_left
from meetings.models import Meeting
from meetings.signals import meetings_changed
from opinions.models import OPINION_COLUMNS, ArchivedOpinion, Opinion, Seal


@receiver(meetings_changed)
def follow_meetings(sender: Any, *, meetings: Iterable[Meeting], **kwargs: Any) -> None:
    """Move the opening of sealed opinions with its meeting."""
    Seal.objects.follow_meetings(meetings)


@receiver(member_left)
def delete_opinions_of_former_member(sender: Any, *, club_id: int, user_id: int, **kwargs: Any) -> None:
    """Delete the opinions of a former member."""
    Opinion.objects.filter(entry__club=club_id, user=user_id).delete()


@receiver(entry_merged)
def move_opinions(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move opinions and seal to the entry that stays. Of two opinions of a user the newer one is kept."""
    others = {opinion.user_id: opinion for opinion in Opinion.objects.filter(entry=target)}
    moved, older = [], []
    for opinion in Opinion.objects.filter(entry=source):
        other = others.get(opinion.user_id)
        if other is None or opinion.updated_at > other.updated_at:
            moved.append(opinion.pk)
            older += [other] if other else []
        else:
            older.append(opinion)
    ArchivedOpinion.objects.bulk_create(
        ArchivedOpinion(merge=merge, entry_id=opinion.entry_id, user_id=opinion.user_id, **_columns(opinion))
        for opinion in older
    )
    Opinion.objects.filter(pk__in=[opinion.pk for opinion in older]).delete()
    Opinion.objects.filter(pk__in=moved).update(entry=target)
    merge.record_moved("opinion", moved)
    _move_seal(merge, source, target)


def _move_seal(merge: Merge, source: Entry, target: Entry) -> None:
    """Move the seal of an entry to the one that stays, unless that has one that is closed as well."""
    seals = {seal.entry_id: seal for seal in Seal.objects.filter(entry__in=[source, target])}
    seal, other = seals.get(source.pk), seals.get(target.pk)
    if seal is None or (other is not None and (other.is_closed or not seal.is_closed)):
        return
    if other is not None:
        other.delete()
    Seal.objects.filter(pk=seal.pk).update(entry=target)
    merge.record_moved("seal", [seal.pk])


@receiver(entry_unmerged)
def move_opinions_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move opinions and seal back when the merge is undone. Opinions changed since the merge stay."""
    merge.restore_moved("seal", Seal.objects.filter(entry=target), entry=restored)
    unchanged = Opinion.objects.filter(entry=target, updated_at__lte=merge.created_at)
    merge.restore_moved("opinion", unchanged, entry=restored)
    archived = ArchivedOpinion.objects.filter(merge=merge, entry_id__in=[target.pk, restored.pk])
    given = set(Opinion.objects.filter(entry__in=[target, restored]).values_list("entry", "user"))
    users = set(User.objects.filter(pk__in=archived.values("user")).values_list("pk", flat=True))
    Opinion.objects.bulk_create(
        Opinion(entry_id=row.entry_id, user_id=row.user_id, **_columns(row))
        for row in archived
        if row.user_id in users and (row.entry_id, row.user_id) not in given
    )
    archived.delete()


def _columns(opinion: Opinion | ArchivedOpinion) -> dict[str, Any]:
    return {name: getattr(opinion, name) for name in OPINION_COLUMNS}
