"""Merge handler for reading lists.

If a club lists only the merged book, its entry changes to the target book. If it lists both with the same reading
number, the target's entry stays, with the more advanced of the two statuses, and takes over milestones, threads,
meetings and candidacies. For each user the newer progress is kept. The other entry and the older progress are archived
and restored when the merge is undone.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import Http404

from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_change, record_changes_of
from catalog.merges.runner import lock_books
from catalog.models import Merge, MergeStatus
from clubs.club.models import Club
from clubs.members.activity import recompute_activity
from clubs.members.models import Membership
from clubs.reading.choices import EntryStatus
from clubs.reading.models import (
    ArchivedEntry,
    ArchivedProgress,
    Entry,
    EntryChange,
    Milestone,
    Progress,
    Section,
    SpoilerConsent,
    removal_changes,
    renumber,
)
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
STATUS_FIELDS = ("status", "starts_on", "ends_on", "finished_on")
ARCHIVED_FIELDS = (
    *("status", "position", "starts_on", "ends_on", "note", "created_at", "finished_on"),
    "reading_number",
)
PROGRESS_FIELDS = ("percent", "unit", "amount", "total", "hidden", "updated_at", "finished_on", "stopped")


class EntryMergeHandler:
    """Reading list entries as part of a merge. Each step handles one club in one transaction."""

    def move(self, merge: Merge) -> bool:
        """Process the next club that lists the merged book. Return False when there is none."""
        club_id = Entry.objects.filter(book=merge.source_id).order_by("pk").values_list("club", flat=True).first()
        return club_id is not None and self._move(merge, Club(pk=club_id))

    def undo_move(self, merge: Merge) -> bool:
        """Restore the next club. Return False when there is none."""
        archived = ArchivedEntry.objects.filter(merge=merge).order_by("pk").first()
        if archived is not None:
            return self._undo_next(merge, archived)
        return any(self._move_back(merge, pk) for pk in merge.moved_ids(KIND, 1))

    def remaining(self, merge: Merge) -> int:
        """Return the number of remaining entries."""
        if merge.status == MergeStatus.MERGING:
            return Entry.objects.filter(book=merge.source_id).count()
        return merge.moved.filter(kind=KIND).count() + ArchivedEntry.objects.filter(merge=merge).count()

    @atomic_with_retry
    def _move(self, merge: Merge, club: Club) -> bool:
        locked = _lock_club(club)
        if not lock_books(merge, MergeStatus.MERGING):
            return False
        if not locked:
            return True  # The club was deleted; the next call finds another one.
        source = _get_entry(club, book_id=merge.source_id)
        number = source.reading_number if source else None
        target = _get_entry(club, book_id=merge.target_id, reading_number=number)
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
        locked = entry is not None and _lock_club(entry.club)
        if not lock_books(merge, MergeStatus.UNDOING):
            return False
        if entry is not None and locked and (entry := _get_entry(entry.club, book_id=merge.target_id, pk=pk)):
            _set_book(entry, merge.source_id)
            entry.record_event("book.unmerged", by=None)
        merge.clear_moved(KIND, [pk])
        return True

    @atomic_with_retry
    def _undo_next(self, merge: Merge, archived: ArchivedEntry) -> bool:
        locked = _lock_club(archived.club)
        if not lock_books(merge, MergeStatus.UNDOING):
            return False
        if not ArchivedEntry.objects.filter(pk=archived.pk).exists():
            return True  # Already restored, or the club was deleted.
        kept = {"book_id": merge.target_id, "pk": archived.kept_entry_id}
        target = _get_entry(archived.club, **kept) if locked else None
        if target is not None:
            _split_entries(merge, archived, target)
        archived.delete()
        return True


def _lock_club(club: Club) -> bool:
    """Lock the club and return whether it still exists."""
    try:
        club.lock()
    except Http404:
        return False
    return True


def _get_entry(club: Club, **filters: Any) -> Entry | None:
    entry = Entry.objects.select_related("book").filter(club=club, **filters).order_by("reading_number").first()
    if entry is not None:
        entry.club = club
    return entry


def _lock_members_and_entries(*entries: Entry) -> None:
    """Lock the memberships of all users with progress, then the entries."""
    users = Progress.objects.filter(entry__in=entries).values_list("user", flat=True)
    members = Membership.objects.filter(club=entries[0].club_id, user__in=list(users))
    list(members.select_for_update().order_by("pk").values_list("pk"))
    for entry in sorted(entries, key=lambda entry: entry.pk):
        entry.lock()


def _set_book(entry: Entry, book_id: int) -> None:
    """Change the book of an entry and recompute its counters."""
    _lock_members_and_entries(entry)
    before = entry.book_id
    entry.count(entry.status, None, was_finished_on=entry.finished_on)
    Entry.objects.filter(pk=entry.pk).update(book=book_id)
    entry.book_id = book_id
    entry.count(None, entry.status)
    EntryChange.record(entry, by=None, book=(before, book_id))
    record_change(ChangeType.ENTRY, entry.pk, club=entry.club_id)
    _recompute_counters(entry)


def _recompute_counters(*entries: Entry) -> None:
    entry_counters_outdated.send(Entry, entries=[entry.pk for entry in entries])


def _merge_entries(merge: Merge, source: Entry, target: Entry) -> None:
    """Merge an entry into another entry of the same list."""
    _lock_members_and_entries(source, target)
    source_is_later = STATUS_ORDER.index(EntryStatus(source.status)) > STATUS_ORDER.index(EntryStatus(target.status))
    changes = (
        {name: [getattr(target, name), getattr(source, name)] for name in STATUS_FIELDS} if source_is_later else {}
    )
    if source.note and not target.note:
        changes["note"] = [target.note, source.note]
    archived = _archive_entry(merge, source, target, changes)
    milestones = Milestone.objects.filter(entry=source)
    merge.record_moved("milestone", milestones.values_list("pk", flat=True))
    milestones.update(entry=target)
    _merge_sections(merge, archived, source, target)
    _merge_consents(merge, source, target)
    _record_changes(target, *removal_changes(source))
    entry_merged.send(Entry, merge=merge, source=source, target=target)
    _merge_progress(merge, archived, source, target)
    source.count(source.status, None, was_finished_on=source.finished_on)
    _update_entry(target, {name: after for name, (_before, after) in changes.items()})
    EntryChange.record(source, by=None, status=(source.status, ""))
    target.record_event("book.merged", by=None)
    Entry.objects.filter(pk=source.pk).delete()
    renumber(source.club_id, F("position") - 1, position__gt=source.position)
    _recompute_counters(target)
    recompute_activity(list(archived.progress.values_list("user", flat=True)), club_id=source.club_id)


def _record_changes(entry: Entry, *others: Any) -> None:
    """Record that an entry and its milestones have changed, with other changes."""
    record_changes_of(*_changes(entry), *others)


def _changes(entry: Entry) -> list[Any]:
    milestones = Milestone.objects.filter(entry=entry)
    return [
        changes_of(Entry.objects.filter(pk=entry.pk), ChangeType.ENTRY),
        changes_of(milestones, ChangeType.MILESTONE, club="entry__club_id", parent_id="entry_id"),
    ]


def _archive_entry(merge: Merge, source: Entry, target: Entry, changes: dict[str, list[Any]]) -> ArchivedEntry:
    return ArchivedEntry.objects.create(
        merge=merge,
        club_id=source.club_id,
        kept_entry_id=target.pk,
        changes={name: list(map(_text, pair)) for name, pair in changes.items()},
        entry_id=source.pk,
        added_by_id=source.added_by_id,
        **{name: getattr(source, name) for name in ARCHIVED_FIELDS},
    )


def _merge_sections(merge: Merge, archived: ArchivedEntry, source: Entry, target: Entry) -> None:
    """Move the sections to the target, or archive them if it has its own."""
    sections = Section.objects.filter(entry=source)
    if Section.objects.filter(entry=target).exists():
        archived.sections = [[title, str(percent)] for title, percent in sections.values_list("title", "up_to_percent")]
        archived.save(update_fields=["sections"])
    else:
        merge.record_moved("section", sections.values_list("pk", flat=True))
        sections.update(entry=target)


def _restore_sections(merge: Merge, archived: ArchivedEntry, restored: Entry, target: Entry) -> None:
    merge.restore_moved("section", Section.objects.filter(entry=target), entry=restored)
    Section.objects.bulk_create(
        Section(entry=restored, number=number, title=title, up_to_percent=percent)
        for number, (title, percent) in enumerate(archived.sections or [], 1)
    )


def _merge_consents(merge: Merge, source: Entry, target: Entry) -> None:
    """Move the consents of users who have not given one for the target."""
    given = SpoilerConsent.objects.filter(entry=target).values_list("user", flat=True)
    moved = SpoilerConsent.objects.filter(entry=source).exclude(user__in=list(given))
    pks = list(moved.values_list("pk", flat=True))
    merge.record_moved("spoiler_consent", pks)
    SpoilerConsent.objects.filter(pk__in=pks).update(entry=target)


def _merge_progress(merge: Merge, archived: ArchivedEntry, source: Entry, target: Entry) -> None:
    target_progress = {row.user_id: row for row in Progress.objects.filter(entry=target)}
    older, moved = [], []
    for row in Progress.objects.filter(entry=source):
        other = target_progress.get(row.user_id)
        if other is None or row.updated_at > other.updated_at:
            moved.append(row.pk)
            older += [other] if other else []
        else:
            older.append(row)
    _archive_progress(archived, older)
    for pks in batched(moved, BATCH_SIZE):
        Progress.objects.filter(pk__in=pks).update(entry=target)
    merge.record_moved("progress", moved)


def _archive_progress(archived: ArchivedEntry, progress: list[Progress]) -> None:
    ArchivedProgress.objects.bulk_create(
        (
            ArchivedProgress(
                archived_entry=archived,
                entry_id=row.entry_id,
                user_id=row.user_id,
                **{name: getattr(row, name) for name in PROGRESS_FIELDS},
            )
            for row in progress
        ),
        BATCH_SIZE,
    )
    for pks in batched([row.pk for row in progress], BATCH_SIZE):
        Progress.objects.filter(pk__in=pks).delete()


def _split_entries(merge: Merge, archived: ArchivedEntry, target: Entry) -> None:
    """Restore an entry that was merged into another."""
    _lock_members_and_entries(target)
    last = Entry.objects.filter(club=archived.club_id).count()
    position = min(archived.position, last + 1)
    renumber(archived.club_id, F("position") + 1, position__gte=position)
    values = {name: getattr(archived, name) for name in ARCHIVED_FIELDS} | {"position": position}
    added_by = User.objects.filter(pk=archived.added_by_id).values_list("pk", flat=True).first()
    restored = Entry(pk=archived.entry_id, club=archived.club, book_id=merge.source_id, added_by_id=added_by, **values)
    restored.save(force_insert=True)
    _update_entry(target, _original_values(archived, target))
    restored.count(None, restored.status)
    merge.restore_moved("milestone", Milestone.objects.filter(entry=target), entry=restored)
    moved_down = Entry.objects.filter(club=archived.club_id, position__gte=position)
    _record_changes(target, *_changes(restored), changes_of(moved_down, ChangeType.ENTRY))
    _restore_sections(merge, archived, restored, target)
    merge.restore_moved("spoiler_consent", SpoilerConsent.objects.filter(entry=target), entry=restored)
    entry_unmerged.send(Entry, merge=merge, target=target, restored=restored)
    # Progress saved since the merge stays.
    moved = Progress.objects.filter(entry=target, updated_at__lte=merge.created_at)
    merge.restore_moved("progress", moved, entry=restored)
    _restore_progress(archived, restored, target)
    EntryChange.record(restored, by=None, status=("", restored.status))
    restored.record_event("book.unmerged", by=None)
    _recompute_counters(restored, target)
    users = Progress.objects.filter(entry__in=[restored, target]).values_list("user", flat=True)
    recompute_activity(list(users), club_id=archived.club_id)


def _original_values(archived: ArchivedEntry, target: Entry) -> dict[str, Any]:
    """Return the values to restore on the remaining entry, except fields changed since the merge."""
    same = {name for name, (_before, after) in archived.changes.items() if _text(getattr(target, name)) == after}
    # Status and dates are restored only together.
    unchanged = same if same.issuperset(STATUS_FIELDS) else same & {"note"}
    return {name: Entry._meta.get_field(name).to_python(archived.changes[name][0]) for name in unchanged}  # type: ignore[union-attr]


def _restore_progress(archived: ArchivedEntry, *entries: Entry) -> None:
    """Restore archived progress, unless the account was deleted or has newer progress in the entry."""
    for entry in entries:
        existing = set(Progress.objects.filter(entry=entry).values_list("user", flat=True))
        users = User.objects.filter(pk__in=archived.progress.values("user")).values_list("pk", flat=True)
        rows = archived.progress.filter(entry_id=entry.pk, user__in=list(users)).exclude(user__in=existing)
        Progress.objects.bulk_create(
            (
                Progress(entry=entry, user_id=row.user_id, **{name: getattr(row, name) for name in PROGRESS_FIELDS})
                for row in rows
            ),
            BATCH_SIZE,
        )


def _update_entry(entry: Entry, fields: dict[str, Any]) -> None:
    """Update fields of an entry and the counters that depend on them."""
    before, finished_on = entry.status, entry.finished_on
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.save(update_fields=fields)
    entry.count(before, entry.status, was_finished_on=finished_on)
    EntryChange.record(entry, by=None, **({"status": (before, entry.status)} if before != entry.status else {}))


def _text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
