"""What `PUT clubs/{id}/books/{entry}/progress/` and its DELETE do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from clubs.members.models import Membership
from clubs.reading.choices import CLOSED_STATUSES, ReadingPosition, Unit
from clubs.reading.guards import open_changes
from clubs.reading.models import Entry, Progress, Section, SpoilerConsent, lock_membership
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry


def section_position(entry: Entry, number: int) -> ReadingPosition:
    """Return the position after a section. Raises InvalidFieldError if the book has no such section."""
    percent = Section.objects.percent_of(entry.pk, number)
    total = Section.objects.filter(entry=entry).count()
    return ReadingPosition(Unit.SECTION, Decimal(number), Decimal(total), up_to_percent=percent)


def update_progress(
    *,
    entry: Entry,
    by: User,
    section: int | None = None,
    everywhere: bool = False,
    spoilers_ok: bool | None = None,
    **mark: Any,
) -> Progress | None:
    """Save the progress of `by` as `Progress.set_progress` does, and whether all posts about the book are open.

    With `everywhere`, save the same progress in all open entries of the book in the user's clubs. Return the progress
    with `spoilers_ok`, or None if it must be loaded.
    """
    if section is not None:
        mark["position"] = section_position(entry, section)
    if not everywhere and spoilers_ok is None:
        return Progress.set_progress(entry=entry, by=by, **mark)
    _update_all(entry, by, mark, everywhere=everywhere, spoilers_ok=spoilers_ok)
    return None


@atomic_with_retry
def _update_all(entry: Entry, by: User, mark: dict[str, Any], *, everywhere: bool, spoilers_ok: bool | None) -> None:
    others = _lock_other_entries(entry, by) if everywhere and mark else []
    if spoilers_ok is not None:
        set_spoilers_ok(entry, by, given=spoilers_ok)
    if mark:
        progress = Progress.set_progress(entry=entry, by=by, **mark)
        for other in others:
            _copy_progress(progress, other, by, mark)


@atomic_with_retry
def delete_progress(*, entry: Entry, by: User) -> None:
    """Delete the progress of `by` and the consent to see all posts."""
    set_spoilers_ok(entry, by, given=False)
    Progress.delete_progress(entry=entry, by=by)


def set_spoilers_ok(entry: Entry, user: User, *, given: bool) -> None:
    """Open all posts about the book to `user`, or guard them again."""
    lock_membership(entry, user)
    entry.lock()
    if SpoilerConsent.set_consent(entry=entry, by=user, given=given):
        own = Entry.objects.filter(pk=entry.pk)
        record_changes_of(changes_of(own, ChangeType.ENTRY, user=user.pk), *open_changes(user.pk, [entry.pk]))


def _lock_other_entries(entry: Entry, user: User) -> list[Entry]:
    """Lock the user's memberships and the open entries of the same book in their clubs; return these entries."""
    clubs = Membership.objects.active().filter(user=user, club__entries__book=entry.book_id)
    lock_rows(Membership, clubs.values_list("pk", flat=True))
    rows = Entry.objects.filter(book=entry.book_id, club__in=clubs.values("club")).exclude(status__in=CLOSED_STATUSES)
    lock_rows(Entry, [entry.pk, *rows.values_list("pk", flat=True)])
    return list(rows.exclude(pk=entry.pk).select_related("book", "club").order_by("pk"))


def _copy_progress(progress: Progress, entry: Entry, user: User, mark: dict[str, Any]) -> None:
    """Save the same progress in another entry. It is hidden there too, unless it has been visible before."""
    known = Progress.objects.filter(entry=entry, user=user).exists()
    position = ReadingPosition(
        Unit(progress.unit), progress.amount, Decimal(progress.total), up_to_percent=progress.percent
    )
    values = mark | {"position": position, "stopped": progress.stopped, "finished_on": progress.finished_on}
    if not known:
        values.setdefault("hidden", progress.hidden)
    Progress.set_progress(entry=entry, by=user, **values)
