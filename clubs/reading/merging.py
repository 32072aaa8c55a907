"""What merging two books does to the lists that name them.

A club that lists one of them lists the kept one then. Where it lists both, the kept book's entry stays, in the status
that is further on, with the milestones, talk, meetings and candidacies of the other, and of each reader the newer of
their two marks. The other entry and the older marks are set aside and come back where the merge is undone.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Model
from django.http import Http404

from accounts.models import User
from bookbridge.api.rows import batches
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import Merge, State
from catalog.merging.moving import hold_books
from clubs.clubs.models import Club
from clubs.discussions.models import Thread
from clubs.meetings.models import Meeting
from clubs.members.models import Membership
from clubs.members.services import was_not_active
from clubs.reading.aside import EntryAside, MarkAside
from clubs.reading.history import EntryChange
from clubs.reading.models import Entry, Milestone, Progress, renumber
from clubs.reading.rules import Status
from clubs.statistics import services as statistics
from clubs.statistics.models import NOTHING

BATCH = 500
KIND = "entry"
# Of two statuses the club keeps the one that stands later here.
FURTHER = (Status.DROPPED, Status.PROPOSED, Status.PLANNED, Status.READING, Status.FINISHED)
ALONG = ("status", "starts_on", "ends_on", "finished_at")
KEPT = ("status", "position", "starts_on", "ends_on", "note", "created_at", "finished_at")
MARK = ("percent", "unit", "amount", "total", "hidden", "updated_at")
# What names an entry beside marks and candidacies, by what it is called in the notes of a merge.
NAMING: dict[str, type[Model]] = {"milestone": Milestone, "thread": Thread, "meeting": Meeting}


class Entries:
    """The entries of clubs' lists, as a part of a merge: one club in a transaction."""

    def move(self, merge: Merge) -> bool:
        """The list of the next club that names the book that goes."""
        found = Entry.objects.filter(book=merge.gone_id).order_by("pk").values_list("club", flat=True).first()
        return found is not None and self._move(merge, Club(pk=found))

    def move_back(self, merge: Merge) -> bool:
        """The list of the next club."""
        aside = EntryAside.objects.filter(merge=merge).order_by("pk").first()
        if aside is not None:
            return self._part(merge, aside)
        return any(self._move_back(merge, pk) for pk in merge.noted(KIND, 1))

    def left(self, merge: Merge) -> int:
        """Entries of the book that goes; on the way back those noted and those set aside."""
        if merge.state == State.MERGING:
            return Entry.objects.filter(book=merge.gone_id).count()
        return merge.moved.filter(kind=KIND).count() + EntryAside.objects.filter(merge=merge).count()

    @retrying_atomic
    def _move(self, merge: Merge, club: Club) -> bool:
        locked = _lock(club)
        if not hold_books(merge, State.MERGING):
            return False
        if not locked:
            return True  # The club has gone with its list: the next look finds another.
        gone, kept = (_find(club, book=book) for book in (merge.gone_id, merge.kept_id))
        if gone is not None and kept is not None:
            _join(merge, gone, kept)
        elif gone is not None:
            _give(gone, merge.kept_id)
            merge.note(KIND, [gone.pk])
            gone.log("book.merged", by=None)
        return True

    @retrying_atomic
    def _move_back(self, merge: Merge, pk: int) -> bool:
        entry = Entry.objects.select_related("club").filter(pk=pk).first()
        locked = entry is not None and _lock(entry.club)
        if not hold_books(merge, State.UNDOING):
            return False
        if entry is not None and locked and (entry := _find(entry.club, book=merge.kept_id)) and entry.pk == pk:
            _give(entry, merge.gone_id)
            entry.log("book.unmerged", by=None)
        merge.strike(KIND, [pk])
        return True

    @retrying_atomic
    def _part(self, merge: Merge, aside: EntryAside) -> bool:
        locked = _lock(aside.club)
        if not hold_books(merge, State.UNDOING):
            return False
        if not EntryAside.objects.filter(pk=aside.pk).exists():
            return True  # Somebody else was quicker, or the club has gone.
        stays = _find(aside.club, book=merge.kept_id) if locked else None
        if stays is not None and stays.pk == aside.stays:
            _part(merge, aside, stays)
        aside.delete()
        return True


def _lock(club: Club) -> bool:
    """Hold the club's row; whether it is there."""
    try:
        club.lock()
    except Http404:
        return False
    return True


def _find(club: Club, *, book: int) -> Entry | None:
    entry = Entry.objects.select_related("book").filter(club=club, book=book).first()
    if entry is not None:
        entry.club = club
    return entry


def _hold(*entries: Entry) -> None:
    """The memberships of all who have a mark, and then the entries."""
    readers = Progress.objects.filter(entry__in=entries).values_list("user", flat=True)
    members = Membership.objects.filter(club=entries[0].club_id, user__in=list(readers))
    list(members.select_for_update().order_by("pk").values_list("pk"))
    for entry in sorted(entries, key=lambda entry: entry.pk):
        entry.hold()


def _give(entry: Entry, book: int) -> None:
    """Make it an entry of another book, with what that book's ratings are to the club."""
    _hold(entry)
    before = entry.book_id
    entry.count(entry.status, None, was_finished_at=entry.finished_at)
    Entry.objects.filter(pk=entry.pk).update(book=book)
    entry.book_id = book
    entry.count(None, entry.status)
    EntryChange.record(entry, by=None, book=(before, book))
    _settle(entry)


def _settle(*entries: Entry) -> None:
    pks = [entry.pk for entry in entries]
    Entry.objects.filter(pk__in=pks).update(**NOTHING)
    statistics.settle(pks)


def _join(merge: Merge, gone: Entry, kept: Entry) -> None:
    """Make two entries of one list one."""
    _hold(gone, kept)
    further = FURTHER.index(Status(gone.status)) > FURTHER.index(Status(kept.status))
    changes = {name: [getattr(kept, name), getattr(gone, name)] for name in ALONG} if further else {}
    if gone.note and not kept.note:
        changes["note"] = [kept.note, gone.note]
    aside = EntryAside.objects.create(
        merge=merge,
        club_id=gone.club_id,
        stays=kept.pk,
        changes={name: list(map(_text, pair)) for name, pair in changes.items()},
        entry_id=gone.pk,
        added_by_id=gone.added_by_id,
        **{name: getattr(gone, name) for name in KEPT},
    )
    for kind, model in NAMING.items():
        rows = model._base_manager.filter(entry=gone)
        merge.note(kind, rows.values_list("pk", flat=True))
        rows.update(entry=kept)
    both = list(kept.candidacies.values_list("ballot", flat=True))
    merge.note("candidate", gone.candidacies.exclude(ballot__in=both).values_list("pk", flat=True))
    gone.candidacies.all().hand_over(to=kept)
    _join_marks(merge, aside, gone, kept)
    gone.count(gone.status, None, was_finished_at=gone.finished_at)
    _set(kept, {name: after for name, (_before, after) in changes.items()})
    EntryChange.record(gone, by=None, status=(gone.status, ""))
    kept.log("book.merged", by=None)
    Entry.objects.filter(pk=gone.pk).delete()
    renumber(gone.club_id, F("position") - 1, position__gt=gone.position)
    _settle(kept)
    was_not_active(list(aside.marks.values_list("user", flat=True)), club=gone.club_id)


def _join_marks(merge: Merge, aside: EntryAside, gone: Entry, kept: Entry) -> None:
    theirs = {mark.user_id: mark for mark in Progress.objects.filter(entry=kept)}
    older, moving = [], []
    for mark in Progress.objects.filter(entry=gone):
        other = theirs.get(mark.user_id)
        if other is None or mark.updated_at > other.updated_at:
            moving.append(mark.pk)
            older += [other] if other else []
        else:
            older.append(mark)
    MarkAside.objects.bulk_create(
        (
            MarkAside(
                of=aside, entry_id=mark.entry_id, user_id=mark.user_id, **{name: getattr(mark, name) for name in MARK}
            )
            for mark in older
        ),
        BATCH,
    )
    for pks in batches([mark.pk for mark in older], BATCH):
        Progress.objects.filter(pk__in=pks).delete()
    for pks in batches(moving, BATCH):
        Progress.objects.filter(pk__in=pks).update(entry=kept)
    merge.note("mark", moving)


def _part(merge: Merge, aside: EntryAside, stays: Entry) -> None:
    """Make two entries of one again."""
    _hold(stays)
    last = Entry.objects.filter(club=aside.club_id).count()
    position = min(aside.position, last + 1)
    renumber(aside.club_id, F("position") + 1, position__gte=position)
    values = {name: getattr(aside, name) for name in KEPT} | {"position": position}
    added_by = User.objects.filter(pk=aside.added_by_id).values_list("pk", flat=True).first()
    again = Entry(pk=aside.entry_id, club=aside.club, book_id=merge.gone_id, added_by_id=added_by, **values)
    again.save(force_insert=True)
    _set(stays, _former(aside, stays))
    again.count(None, again.status)
    for kind, model in NAMING.items():
        _back(merge, kind, model._base_manager.filter(entry=stays), again)
    _back(merge, "candidate", stays.candidacies.all(), again)
    # What a reader has set since the merge stays.
    _back(merge, "mark", Progress.objects.filter(entry=stays, updated_at__lte=merge.at), again)
    _bring_back(aside, again, stays)
    EntryChange.record(again, by=None, status=("", again.status))
    again.log("book.unmerged", by=None)
    _settle(again, stays)
    readers = Progress.objects.filter(entry__in=[again, stays]).values_list("user", flat=True)
    was_not_active(list(readers), club=aside.club_id)


def _former(aside: EntryAside, stays: Entry) -> dict[str, Any]:
    """What the entry that stays has from the other, as it was before; nothing of it that was changed since."""
    same = {name for name, (_before, after) in aside.changes.items() if _text(getattr(stays, name)) == after}
    # What came with the status goes back with it, and one date with the other.
    along = same if same.issuperset(ALONG) else same & {"note"}
    return {name: Entry._meta.get_field(name).to_python(aside.changes[name][0]) for name in along}  # type: ignore[union-attr]


def _back(merge: Merge, kind: str, rows: Any, entry: Entry) -> None:
    """Give those of the rows that the merge has moved to the entry that they were of."""
    noted = merge.moved.filter(kind=kind)
    for pks in batches(list(rows.filter(pk__in=noted.values("row")).values_list("pk", flat=True)), BATCH):
        rows.model._base_manager.filter(pk__in=pks).update(entry=entry)
        merge.strike(kind, pks)


def _bring_back(aside: EntryAside, *entries: Entry) -> None:
    """The older marks, but of who has left or has a mark there that is newer than the merge."""
    for entry in entries:
        there = set(Progress.objects.filter(entry=entry).values_list("user", flat=True))
        people = User.objects.filter(pk__in=aside.marks.values("user")).values_list("pk", flat=True)
        back = aside.marks.filter(entry_id=entry.pk, user__in=list(people)).exclude(user__in=there)
        Progress.objects.bulk_create(
            (
                Progress(entry=entry, user_id=mark.user_id, **{name: getattr(mark, name) for name in MARK})
                for mark in back
            ),
            BATCH,
        )


def _set(entry: Entry, fields: dict[str, Any]) -> None:
    """Write some fields of an entry, counted off as it was and on as it becomes."""
    before, finished_at = entry.status, entry.finished_at
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.save(update_fields=fields)
    entry.count(before, entry.status, was_finished_at=finished_at)
    EntryChange.record(entry, by=None, **({"status": (before, entry.status)} if before != entry.status else {}))


def _text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
