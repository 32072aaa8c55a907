"""Updates of the counters on reading list entries, in the transaction of the change they count.

Lock order: users, clubs, books, reviews, memberships, entries, totals. A rating and a membership that are written
concurrently are counted once, because both writers lock the user.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Case, F, Field, Q, Sum, Value, When

from clubs.club.choices import Visibility
from clubs.members.models import Membership
from clubs.reading.choices import Unit
from clubs.reading.entry_counters import ZERO_COUNTERS
from clubs.reading.models import Entry, Progress
from core.db.locking import batched
from stats import ratings

if TYPE_CHECKING:
    from clubs.club.models import Club

# Entries per UPDATE statement.
BATCH_SIZE = 100

Deltas = defaultdict[int, defaultdict[str, Any]]


def apply_membership_change(club: Club, user_id: int, sign: int) -> None:
    """Add (`sign` 1) or subtract (-1) a member's ratings and progress.

    Call it after the membership was written. User and club must be locked.
    """
    deltas = _deltas()
    for entry_id, half_stars in ratings.ratings_of_user(user_id, club.pk):
        deltas[entry_id][f"stars_{half_stars}"] += sign
    for progress in Progress.objects.filter(entry__club=club, user=user_id):
        _add_progress(deltas, progress, sign)
    _apply_deltas(deltas)


def count_entry(entry: Entry) -> None:
    """Add the members' ratings of a book that was added to the list. Club and book must be locked."""
    deltas = _deltas()
    for _entry, half_stars, n in ratings.ratings_of_entries([entry.pk]):
        deltas[entry.pk][f"stars_{half_stars}"] += n
    _apply_deltas(deltas)


def count_progress(before: Progress | None, after: Progress | None) -> None:
    """Subtract the old progress and add the new one. The membership must be locked."""
    deltas = _deltas()
    if before is not None:
        _add_progress(deltas, before, -1)
    if after is not None:
        _add_progress(deltas, after, +1)
    _apply_deltas(deltas)


def apply_rating_changes(changes: Mapping[tuple[int, int, int, bool], int]) -> None:
    """Apply changes of ratings, given as (user id, book id, half-stars, whether public) -> difference.

    Ratings that are not public count in private clubs only. Users and books must be locked.
    """
    changes = {rating: difference for rating, difference in changes.items() if difference}
    if not changes:
        return
    users = {user_id for user_id, *_rating in changes}
    books = {book_id for _user, book_id, *_rating in changes}
    listed = Membership.objects.active().filter(user__in=users, club__entries__book__in=books)
    entries: defaultdict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(list)
    for user_id, book_id, entry_id, visibility in listed.values_list(
        "user", "club__entries__book", "club__entries", "club__visibility"
    ):
        entries[user_id, book_id].append((entry_id, visibility == Visibility.PRIVATE))
    deltas = _deltas()
    for (user_id, book_id, half_stars, is_public), difference in changes.items():
        for entry_id, is_private in entries[user_id, book_id]:
            if is_public or is_private:
                deltas[entry_id][f"stars_{half_stars}"] += difference
    _apply_deltas(deltas)


def expected_counters(entries: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the expected counters of these entries, where they are not 0."""
    counted = _deltas()
    for entry, half_stars, n in ratings.ratings_of_entries(entries):
        counted[entry][f"stars_{half_stars}"] += n
    visible = Progress.objects.visible().filter(entry__in=entries).order_by().values_list("entry")
    sums = visible.annotate(pages=Sum("amount", filter=PAGES), percents=Sum("percent", filter=~PAGES))
    for entry, pages, percents in sums:
        counted[entry] |= {"pages": pages or Decimal(0), "percents": percents or Decimal(0)}
    return {entry: dict(counts) for entry, counts in counted.items()}


def recompute(entries: Sequence[int]) -> None:
    """Set the counters of these entries that are not 0. The entries must be new, or locked and reset."""
    for pks in batched(entries, BATCH_SIZE):
        for entry, counts in expected_counters(pks).items():
            Entry.objects.filter(pk=entry).update(**counts)


def recompute_from_zero(entries: Sequence[int]) -> None:
    """Recompute the counters of these entries, also those that become 0. The entries must be locked."""
    Entry.objects.filter(pk__in=entries).update(**ZERO_COUNTERS)
    recompute(entries)


PAGES = Q(unit=Unit.PAGE)


def _deltas() -> Deltas:
    return defaultdict(lambda: defaultdict(int))


def _add_progress(deltas: Deltas, progress: Progress, sign: int) -> None:
    if not progress.hidden:
        column, amount = ("pages", progress.amount) if progress.unit == Unit.PAGE else ("percents", progress.percent)
        deltas[progress.entry_id][column] += sign * amount


def _apply_deltas(deltas: Deltas) -> None:
    changed = {entry: by_column for entry, by_column in sorted(deltas.items()) if any(by_column.values())}
    for batch in batched(changed, BATCH_SIZE):
        columns = sorted({column for entry in batch for column in changed[entry]})
        sums = {
            column: F(column) + _delta(column, {entry: changed[entry][column] for entry in batch}) for column in columns
        }
        Entry.objects.filter(pk__in=batch).update(**sums)


def _delta(column: str, by_entry: Mapping[int, Any]) -> Case:
    field = cast("Field[Any, Any]", Entry._meta.get_field(column))
    cases = [When(pk=entry, then=Value(difference, field)) for entry, difference in by_entry.items() if difference]
    return Case(*cases, default=Value(0, field), output_field=field)
