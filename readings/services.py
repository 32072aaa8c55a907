"""Readings that progress in clubs and imports make."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from catalog.models import Book
from clubs.reading.choices import HUNDRED_PERCENT
from clubs.reading.models import Entry, Progress
from readings.models import Reading, ReadingSource, ReadingState, recording_guard_changes


@dataclass(frozen=True)
class PastReading:
    """A reading in an imported file."""

    state: ReadingState
    started_on: datetime.date | None = None
    finished_on: datetime.date | None = None
    percent: Decimal | None = None


def record_progress(*, user: User, entry: Entry, before: Progress | None, after: Progress | None) -> None:
    """Save the reading of a member's progress, or delete it with the progress. The entry must be locked."""
    rows = Reading.objects.filter(user=user, entry=entry, source=ReadingSource.CLUB)
    reading = rows.order_by("-pk").first()
    if after is None:
        if reading is not None:
            _delete(reading)
        return
    values = _values(user, reading, before, after)
    if reading is None:
        reading = Reading(user=user, book_id=entry.book_id, entry=entry, source=ReadingSource.CLUB)
    elif all(getattr(reading, name) == value for name, value in values.items()):
        return
    was_finished = reading.is_finished
    for name, value in values.items():
        setattr(reading, name, value)
    if was_finished == reading.is_finished:
        reading.save()
        return
    with recording_guard_changes(user.pk, reading.book_id):
        reading.save()


def _values(user: User, reading: Reading | None, before: Progress | None, after: Progress) -> dict[str, Any]:
    """Return the columns of a reading that follow from the progress."""
    started_on = reading.started_on if reading else None
    if reading is None and not after.is_finished:
        started_on = timezone.localdate(timezone=ZoneInfo(user.timezone))
    values: dict[str, Any] = {"percent": after.percent, "hidden": after.hidden, "state": _state(after)}
    # The same day sent again does not undo a correction by the user.
    if reading is None or before is None or before.finished_on != after.finished_on:
        values["finished_on"] = after.finished_on
        if started_on and after.finished_on:
            started_on = min(started_on, after.finished_on)
    return values | {"started_on": started_on}


def _state(progress: Progress) -> ReadingState:
    if progress.is_finished:
        return ReadingState.FINISHED
    return ReadingState.STOPPED if progress.stopped else ReadingState.READING


def _delete(reading: Reading) -> None:
    with recording_guard_changes(reading.user_id, reading.book_id):
        Reading.objects.filter(pk=reading.pk).delete()


def import_readings(*, user: User, book: Book, past: Sequence[PastReading]) -> int:
    """Save the readings of a book in an imported file that the user does not have yet, and return their number.

    The user and the book must be locked. The same file changes nothing when it is imported again.
    """
    if not past:
        return 0
    existing = list(Reading.objects.filter(user=user, book=book))
    new = _new_readings(existing, past)
    if new:
        with recording_guard_changes(user.pk, book.pk):
            for row in new:
                row.user, row.book = user, book
                row.save()
    return len(new)


def _new_readings(existing: Sequence[Reading], past: Sequence[PastReading]) -> list[Reading]:
    """Return the readings to save: new ones, and imported ones that have been finished or dated since."""
    imported = [row for row in existing if row.source == ReadingSource.IMPORT]
    changed: list[Reading] = []
    for state in (ReadingState.FINISHED, ReadingState.STOPPED):
        rows = [row for row in existing if row.state == state]
        for item in _unmatched(rows, [item for item in past if item.state == state]):
            row = _take_open_row(imported, state, changed) or Reading(source=ReadingSource.IMPORT)
            changed.append(_fill(row, item))
    for item in past:
        same = [row for row in existing if row in imported or row.state == ReadingState.READING]
        known = any(item.started_on in (None, row.started_on) for row in same)
        if item.state == ReadingState.READING and not known:
            changed.append(_fill(Reading(source=ReadingSource.IMPORT), item))
    return changed


def _unmatched(rows: list[Reading], items: list[PastReading]) -> list[PastReading]:
    """Return the items that are not among the rows, all of one state. Rows that match are removed from the list.

    Rows match by day, and items without a day match any row. An imported row with a day that is not in the file has
    been edited, and matches the oldest item that is left.
    """
    left = []
    for item in sorted(items, key=_by_day):
        match = next((row for row in rows if item.finished_on in (None, row.finished_on)), None)
        if match is None:
            left.append(item)
        else:
            rows.remove(match)
    edited = [row for row in rows if row.source == ReadingSource.IMPORT and row.finished_on]
    return left[len(edited) :]


def _take_open_row(imported: list[Reading], state: str, changed: list[Reading]) -> Reading | None:
    """Return an imported reading that was not finished, or had no day, when it was imported."""
    for row in imported:
        is_open = row.state == ReadingState.READING or (row.state == state and row.finished_on is None)
        if is_open and row not in changed:
            return row
    return None


def _fill(row: Reading, item: PastReading) -> Reading:
    row.state, row.finished_on = item.state, item.finished_on
    row.started_on = item.started_on or row.started_on
    if row.started_on and row.finished_on:
        row.started_on = min(row.started_on, row.finished_on)
    row.percent = HUNDRED_PERCENT if row.is_finished else item.percent or Decimal(0)
    return row


def _by_day(item: PastReading) -> tuple[bool, datetime.date]:
    """Sort by day, items without a day last."""
    return item.finished_on is None, item.finished_on or datetime.date.min
