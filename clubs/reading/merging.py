"""Merge handler for reading lists.

If a club lists only the merged book, its entry changes to the target book. If it lists both, the target's entry stays,
with the more advanced of the two statuses, and takes over milestones, threads, meetings and candidacies. For each user
the newer progress wins. The other entry and the older progress are archived and restored when the merge is undone.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import Http404

from accounts.models import User
from bookbridge.api.rows import batches
from bookbridge.api.transactions import retrying_atomic
from catalog.merging.models import Merge, State
from catalog.merging.services import hold_books
from clubs.clubs.models import Club
from clubs.members.models import Membership
from clubs.members.services import was_not_active
from clubs.reading.aside import EntryAside, MarkAside
from clubs.reading.history import EntryChange
from clubs.reading.models import Entry, Milestone, Progress, renumber
from clubs.reading.rules import Status
from clubs.signals import entry_counters_outdated, entry_merged, entry_unmerged

BATCH = 500
KIND = "entry"
# The merged entry gets the status that is later in this order.
FURTHER = (Status.DROPPED, Status.PROPOSED, Status.PLANNED, Status.READING, Status.FINISHED)
ALONG = ("status", "starts_on", "ends_on", "finished_at")
KEPT = ("status", "position", "starts_on", "ends_on", "note", "created_at", "finished_at")
MARK = ("percent", "unit", "amount", "total", "hidden", "updated_at")


class Entries:
    """Reading list entries as part of a merge. Each step handles one club in one transaction."""

    def move(self, merge: Merge) -> bool:
        """Process the next club that lists the merged book. Return False when there is none."""
        found = Entry.objects.filter(book=merge.gone_id).order_by("pk").values_list("club", flat=True).first()
        return found is not None and self._move(merge, Club(pk=found))

    def move_back(self, merge: Merge) -> bool:
        """Restore the next club. Return False when there is none."""
        aside = EntryAside.objects.filter(merge=merge).order_by("pk").first()
        if aside is not None:
            return self._part(merge, aside)
        return any(self._move_back(merge, pk) for pk in merge.noted(KIND, 1))

    def left(self, merge: Merge) -> int:
        """Return the number of remaining entries."""
        if merge.state == State.MERGING:
            return Entry.objects.filter(book=merge.gone_id).count()
        return merge.moved.filter(kind=KIND).count() + EntryAside.objects.filter(merge=merge).count()

    @retrying_atomic
    def _move(self, merge: Merge, club: Club) -> bool:
        locked = _lock(club)
        if not hold_books(merge, State.MERGING):
            return False
        if not locked:
            return True  # The club was deleted; the next call finds another one.
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
            return True  # Already restored, or the club was deleted.
        stays = _find(aside.club, book=merge.kept_id) if locked else None
        if stays is not None and stays.pk == aside.stays:
            _part(merge, aside, stays)
        aside.delete()
        return True


def _lock(club: Club) -> bool:
    """Lock the club and return whether it still exists."""
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
    """Lock the memberships of all users with progress, then the entries."""
    readers = Progress.objects.filter(entry__in=entries).values_list("user", flat=True)
    members = Membership.objects.filter(club=entries[0].club_id, user__in=list(readers))
    list(members.select_for_update().order_by("pk").values_list("pk"))
    for entry in sorted(entries, key=lambda entry: entry.pk):
        entry.hold()


def _give(entry: Entry, book: int) -> None:
    """Change the book of an entry and recompute its counters."""
    _hold(entry)
    before = entry.book_id
    entry.count(entry.status, None, was_finished_at=entry.finished_at)
    Entry.objects.filter(pk=entry.pk).update(book=book)
    entry.book_id = book
    entry.count(None, entry.status)
    EntryChange.record(entry, by=None, book=(before, book))
    _settle(entry)


def _settle(*entries: Entry) -> None:
    entry_counters_outdated.send(Entry, entries=[entry.pk for entry in entries])


def _join(merge: Merge, gone: Entry, kept: Entry) -> None:
    """Merge an entry into another entry of the same list."""
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
    milestones = Milestone.objects.filter(entry=gone)
    merge.note("milestone", milestones.values_list("pk", flat=True))
    milestones.update(entry=kept)
    entry_merged.send(Entry, merge=merge, gone=gone, kept=kept)
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
    """Restore an entry that was merged into another."""
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
    merge.restore_moved("milestone", Milestone.objects.filter(entry=stays), entry=again)
    entry_unmerged.send(Entry, merge=merge, kept=stays, again=again)
    # Progress saved since the merge stays.
    merge.restore_moved("mark", Progress.objects.filter(entry=stays, updated_at__lte=merge.at), entry=again)
    _bring_back(aside, again, stays)
    EntryChange.record(again, by=None, status=("", again.status))
    again.log("book.unmerged", by=None)
    _settle(again, stays)
    readers = Progress.objects.filter(entry__in=[again, stays]).values_list("user", flat=True)
    was_not_active(list(readers), club=aside.club_id)


def _former(aside: EntryAside, stays: Entry) -> dict[str, Any]:
    """Return the values to restore on the remaining entry, except fields changed since the merge."""
    same = {name for name, (_before, after) in aside.changes.items() if _text(getattr(stays, name)) == after}
    # Status and dates are restored only together.
    along = same if same.issuperset(ALONG) else same & {"note"}
    return {name: Entry._meta.get_field(name).to_python(aside.changes[name][0]) for name in along}  # type: ignore[union-attr]


def _bring_back(aside: EntryAside, *entries: Entry) -> None:
    """Restore archived progress, unless the account was deleted or has newer progress in the entry."""
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
    """Update fields of an entry and the counters that depend on them."""
    before, finished_at = entry.status, entry.finished_at
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.save(update_fields=fields)
    entry.count(before, entry.status, was_finished_at=finished_at)
    EntryChange.record(entry, by=None, **({"status": (before, entry.status)} if before != entry.status else {}))


def _text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
