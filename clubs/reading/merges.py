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
from catalog.merges.moving import lock_books
from catalog.models import Merge, MergeStatus
from clubs.club.models import Club
from clubs.members.activity import recompute_activity
from clubs.members.models import Membership
from clubs.reading.choices import EntryStatus
from clubs.reading.models import ArchivedEntry, ArchivedProgress, Entry, EntryChange, Milestone, Progress, renumber
from clubs.signals import entry_counters_outdated, entry_merged, entry_unmerged
from core.db.locking import batched
from core.db.transactions import atomic_with_retry

BATCH_SIZE = 500
KIND = "entry"
# The merged entry gets the status that is later in this order.
STATUS_ORDER = (
    EntryStatus.DROPPED,
    EntryStatus.PROPOSED,
    EntryStatus.PLANNED,
    EntryStatus.READING,
    EntryStatus.FINISHED,
)
STATUS_FIELDS = ("status", "starts_on", "ends_on", "finished_at")
ARCHIVED_FIELDS = ("status", "position", "starts_on", "ends_on", "note", "created_at", "finished_at")
PROGRESS_FIELDS = ("percent", "unit", "amount", "total", "hidden", "updated_at")


class EntryMergeHandler:
    """Reading list entries as part of a merge. Each step handles one club in one transaction."""

    def move(self, merge: Merge) -> bool:
        """Process the next club that lists the merged book. Return False when there is none."""
        found = Entry.objects.filter(book=merge.source_id).order_by("pk").values_list("club", flat=True).first()
        return found is not None and self._move(merge, Club(pk=found))

    def undo_move(self, merge: Merge) -> bool:
        """Restore the next club. Return False when there is none."""
        aside = ArchivedEntry.objects.filter(merge=merge).order_by("pk").first()
        if aside is not None:
            return self._part(merge, aside)
        return any(self._move_back(merge, pk) for pk in merge.moved_ids(KIND, 1))

    def remaining(self, merge: Merge) -> int:
        """Return the number of remaining entries."""
        if merge.state == MergeStatus.MERGING:
            return Entry.objects.filter(book=merge.source_id).count()
        return merge.moved.filter(kind=KIND).count() + ArchivedEntry.objects.filter(merge=merge).count()

    @atomic_with_retry
    def _move(self, merge: Merge, club: Club) -> bool:
        locked = _lock(club)
        if not lock_books(merge, MergeStatus.MERGING):
            return False
        if not locked:
            return True  # The club was deleted; the next call finds another one.
        source, target = (_find(club, book=book) for book in (merge.source_id, merge.target_id))
        if source is not None and target is not None:
            _merge_entries(merge, source, target)
        elif source is not None:
            _set_book(source, merge.target_id)
            merge.record_moved(KIND, [source.pk])
            source.record_event("book.merged", by=None)
        return True

    @atomic_with_retry
    def _move_back(self, merge: Merge, pk: int) -> bool:
        entry = Entry.objects.select_related("club").filter(pk=pk).first()
        locked = entry is not None and _lock(entry.club)
        if not lock_books(merge, MergeStatus.UNDOING):
            return False
        if entry is not None and locked and (entry := _find(entry.club, book=merge.target_id)) and entry.pk == pk:
            _set_book(entry, merge.source_id)
            entry.record_event("book.unmerged", by=None)
        merge.clear_moved(KIND, [pk])
        return True

    @atomic_with_retry
    def _part(self, merge: Merge, aside: ArchivedEntry) -> bool:
        locked = _lock(aside.club)
        if not lock_books(merge, MergeStatus.UNDOING):
            return False
        if not ArchivedEntry.objects.filter(pk=aside.pk).exists():
            return True  # Already restored, or the club was deleted.
        stays = _find(aside.club, book=merge.target_id) if locked else None
        if stays is not None and stays.pk == aside.kept_entry_id:
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


def _lock_rows(*entries: Entry) -> None:
    """Lock the memberships of all users with progress, then the entries."""
    readers = Progress.objects.filter(entry__in=entries).values_list("user", flat=True)
    members = Membership.objects.filter(club=entries[0].club_id, user__in=list(readers))
    list(members.select_for_update().order_by("pk").values_list("pk"))
    for entry in sorted(entries, key=lambda entry: entry.pk):
        entry.lock()


def _set_book(entry: Entry, book: int) -> None:
    """Change the book of an entry and recompute its counters."""
    _lock_rows(entry)
    before = entry.book_id
    entry.count(entry.status, None, was_finished_at=entry.finished_at)
    Entry.objects.filter(pk=entry.pk).update(book=book)
    entry.book_id = book
    entry.count(None, entry.status)
    EntryChange.record(entry, by=None, book=(before, book))
    _recompute_counters(entry)


def _recompute_counters(*entries: Entry) -> None:
    entry_counters_outdated.send(Entry, entries=[entry.pk for entry in entries])


def _merge_entries(merge: Merge, source: Entry, target: Entry) -> None:
    """Merge an entry into another entry of the same list."""
    _lock_rows(source, target)
    further = STATUS_ORDER.index(EntryStatus(source.status)) > STATUS_ORDER.index(EntryStatus(target.status))
    changes = {name: [getattr(target, name), getattr(source, name)] for name in STATUS_FIELDS} if further else {}
    if source.note and not target.note:
        changes["note"] = [target.note, source.note]
    aside = ArchivedEntry.objects.create(
        merge=merge,
        club_id=source.club_id,
        kept_entry_id=target.pk,
        changes={name: list(map(_text, pair)) for name, pair in changes.items()},
        entry_id=source.pk,
        added_by_id=source.added_by_id,
        **{name: getattr(source, name) for name in ARCHIVED_FIELDS},
    )
    milestones = Milestone.objects.filter(entry=source)
    merge.record_moved("milestone", milestones.values_list("pk", flat=True))
    milestones.update(entry=target)
    entry_merged.send(Entry, merge=merge, source=source, target=target)
    _merge_progress(merge, aside, source, target)
    source.count(source.status, None, was_finished_at=source.finished_at)
    _set(target, {name: after for name, (_before, after) in changes.items()})
    EntryChange.record(source, by=None, status=(source.status, ""))
    target.record_event("book.merged", by=None)
    Entry.objects.filter(pk=source.pk).delete()
    renumber(source.club_id, F("position") - 1, position__gt=source.position)
    _recompute_counters(target)
    recompute_activity(list(aside.progress.values_list("user", flat=True)), club=source.club_id)


def _merge_progress(merge: Merge, aside: ArchivedEntry, source: Entry, target: Entry) -> None:
    theirs = {row.user_id: row for row in Progress.objects.filter(entry=target)}
    older, moving = [], []
    for row in Progress.objects.filter(entry=source):
        other = theirs.get(row.user_id)
        if other is None or row.updated_at > other.updated_at:
            moving.append(row.pk)
            older += [other] if other else []
        else:
            older.append(row)
    ArchivedProgress.objects.bulk_create(
        (
            ArchivedProgress(
                archived_entry=aside,
                entry_id=row.entry_id,
                user_id=row.user_id,
                **{name: getattr(row, name) for name in PROGRESS_FIELDS},
            )
            for row in older
        ),
        BATCH_SIZE,
    )
    for pks in batched([row.pk for row in older], BATCH_SIZE):
        Progress.objects.filter(pk__in=pks).delete()
    for pks in batched(moving, BATCH_SIZE):
        Progress.objects.filter(pk__in=pks).update(entry=target)
    merge.record_moved("progress", moving)


def _part(merge: Merge, aside: ArchivedEntry, stays: Entry) -> None:
    """Restore an entry that was merged into another."""
    _lock_rows(stays)
    last = Entry.objects.filter(club=aside.club_id).count()
    position = min(aside.position, last + 1)
    renumber(aside.club_id, F("position") + 1, position__gte=position)
    values = {name: getattr(aside, name) for name in ARCHIVED_FIELDS} | {"position": position}
    added_by = User.objects.filter(pk=aside.added_by_id).values_list("pk", flat=True).first()
    again = Entry(pk=aside.entry_id, club=aside.club, book_id=merge.source_id, added_by_id=added_by, **values)
    again.save(force_insert=True)
    _set(stays, _original_values(aside, stays))
    again.count(None, again.status)
    merge.restore_moved("milestone", Milestone.objects.filter(entry=stays), entry=again)
    entry_unmerged.send(Entry, merge=merge, target=stays, again=again)
    # Progress saved since the merge stays.
    merge.restore_moved("progress", Progress.objects.filter(entry=stays, updated_at__lte=merge.created_at), entry=again)
    _restore_progress(aside, again, stays)
    EntryChange.record(again, by=None, status=("", again.status))
    again.record_event("book.unmerged", by=None)
    _recompute_counters(again, stays)
    readers = Progress.objects.filter(entry__in=[again, stays]).values_list("user", flat=True)
    recompute_activity(list(readers), club=aside.club_id)


def _original_values(aside: ArchivedEntry, stays: Entry) -> dict[str, Any]:
    """Return the values to restore on the remaining entry, except fields changed since the merge."""
    same = {name for name, (_before, after) in aside.changes.items() if _text(getattr(stays, name)) == after}
    # Status and dates are restored only together.
    along = same if same.issuperset(STATUS_FIELDS) else same & {"note"}
    return {name: Entry._meta.get_field(name).to_python(aside.changes[name][0]) for name in along}  # type: ignore[union-attr]


def _restore_progress(aside: ArchivedEntry, *entries: Entry) -> None:
    """Restore archived progress, unless the account was deleted or has newer progress in the entry."""
    for entry in entries:
        there = set(Progress.objects.filter(entry=entry).values_list("user", flat=True))
        people = User.objects.filter(pk__in=aside.progress.values("user")).values_list("pk", flat=True)
        back = aside.progress.filter(entry_id=entry.pk, user__in=list(people)).exclude(user__in=there)
        Progress.objects.bulk_create(
            (
                Progress(entry=entry, user_id=row.user_id, **{name: getattr(row, name) for name in PROGRESS_FIELDS})
                for row in back
            ),
            BATCH_SIZE,
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
