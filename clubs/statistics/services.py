"""The figures beside a list's entries, moved by arithmetic in the transaction of what they count.

Whoever writes locks in one order: users, clubs, books, reviews, memberships, entries, totals. So that a rating and a
membership that come at once are counted once: both are written by who holds the reader's row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Case, F, Field, Q, Sum, Value, When

from bookbridge.api.rows import batches
from clubs.members.models import Membership
from clubs.reading.entry_counters import NOTHING
from clubs.reading.models import Entry, Progress
from clubs.reading.rules import Unit
from reviews.statistics import ratings

if TYPE_CHECKING:
    from clubs.clubs.models import Club

# How many entries one statement moves.
BATCH = 100

Steps = defaultdict[int, defaultdict[str, Any]]


def membership_changed(club: Club, user: int, sign: int) -> None:
    """Count a reader's ratings and marks on for a club they have come into (1), or off (-1).

    For whoever has written the membership and holds the rows of the reader and the club.
    """
    steps = _steps()
    for entry, half_stars in ratings.of_reader(user, club.pk):
        steps[entry][f"stars_{half_stars}"] += sign
    for mark in Progress.objects.filter(entry__club=club, user=user):
        _count_mark(steps, mark, sign)
    _move(steps)


def entry_added(entry: Entry) -> None:
    """Count the members' ratings of a book that has come on a list. For who holds the rows of the club and the book."""
    steps = _steps()
    for _entry, half_stars, n in ratings.of_entries([entry.pk]):
        steps[entry.pk][f"stars_{half_stars}"] += n
    _move(steps)


def mark_set(before: Progress | None, after: Progress) -> None:
    """Count a mark as it was off, and as it is on. For who holds the membership."""
    steps = _steps()
    if before is not None:
        _count_mark(steps, before, -1)
    _count_mark(steps, after, +1)
    _move(steps)


def ratings_changed(changes: Mapping[tuple[int, int, int], int]) -> None:
    """Count public ratings on and off: (reader, book, half-stars) -> how many more. For who holds those rows."""
    changes = {rating: step for rating, step in changes.items() if step}
    clubs: defaultdict[int, list[int]] = defaultdict(list)
    readers = {reader for reader, _book, _half_stars in changes}
    for reader, club in Membership.objects.active().filter(user__in=readers).values_list("user", "club"):
        clubs[reader].append(club)
    if not clubs:
        return
    listed = Entry.objects.filter(
        club__in={club for found in clubs.values() for club in found}, book__in={book for _reader, book, _ in changes}
    )
    entries = {(club, book): pk for pk, club, book in listed.values_list("pk", "club", "book")}
    steps = _steps()
    for (reader, book, half_stars), step in changes.items():
        for club in clubs[reader]:
            if (club, book) in entries:
                steps[entries[club, book]][f"stars_{half_stars}"] += step
    _move(steps)


def recount(entries: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What the figures of these entries should be, where they are not 0."""
    counted = _steps()
    for entry, half_stars, n in ratings.of_entries(entries):
        counted[entry][f"stars_{half_stars}"] += n
    marks = Progress.objects.shown().filter(entry__in=entries).order_by().values_list("entry")
    sums = marks.annotate(pages=Sum("amount", filter=PAGES), percents=Sum("percent", filter=~PAGES))
    for entry, pages, percents in sums:
        counted[entry] |= {"pages": pages or Decimal(0), "percents": percents or Decimal(0)}
    return {entry: dict(figures) for entry, figures in counted.items()}


def settle(entries: Sequence[int]) -> None:
    """Set the figures of these entries to what they should be, for bulk writes that have the tables to themselves."""
    for pks in batches(entries, BATCH):
        for entry, figures in recount(pks).items():
            Entry.objects.filter(pk=entry).update(**figures)


def recompute_from_zero(entries: Sequence[int]) -> None:
    """Set the figures of these entries to what they should be, whatever they are. For who holds the rows."""
    Entry.objects.filter(pk__in=entries).update(**NOTHING)
    settle(entries)


PAGES = Q(unit=Unit.PAGE)


def _steps() -> Steps:
    return defaultdict(lambda: defaultdict(int))


def _count_mark(steps: Steps, mark: Progress, sign: int) -> None:
    if not mark.hidden:
        column, amount = ("pages", mark.amount) if mark.unit == Unit.PAGE else ("percents", mark.percent)
        steps[mark.entry_id][column] += sign * amount


def _move(steps: Steps) -> None:
    moved = {entry: figures for entry, figures in sorted(steps.items()) if any(figures.values())}
    for batch in batches(moved, BATCH):
        columns = sorted({column for entry in batch for column in moved[entry]})
        sums = {
            column: F(column) + _step(column, {entry: moved[entry][column] for entry in batch}) for column in columns
        }
        Entry.objects.filter(pk__in=batch).update(**sums)


def _step(column: str, by_entry: Mapping[int, Any]) -> Case:
    field = cast("Field[Any, Any]", Entry._meta.get_field(column))
    steps = [When(pk=entry, then=Value(step, field)) for entry, step in by_entry.items() if step]
    return Case(*steps, default=Value(0, field), output_field=field)
