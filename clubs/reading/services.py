"""Functions of reading lists that span several models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import Book
from clubs.reading import counters
from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry

if TYPE_CHECKING:
    from clubs.club.models import Club


def handle_visibility_changed(club: Club) -> None:
    """Add the books of a club that became public to the counters, or subtract those of one that became private.

    Call it once, after the change and in its transaction. The club must be locked; the books and entries of its list
    are locked here, for all receivers of the signal.
    """
    _lock_list(club)
    _count(club, -1 if club.is_private else 1)


def delete_club_entries(club: Club) -> None:
    """Subtract a club's entries from all counters and delete them.

    Call it in the transaction that deletes the club. The club must be locked.
    """
    # The entries are locked before their progress is deleted, so that no new progress is added in between.
    _lock_list(club)
    if not club.is_private:
        _count(club, -1)
    Entry.objects.filter(club=club).delete()


def miscounted() -> QuerySet[Any]:
    """Return the books with wrong counters, annotated with `expected_clubs_reading` and `expected_clubs_finished`.

    It is empty unless there is a bug.
    """
    expected = {f"expected_{column}": _recount(status) for status, column in counters.COLUMNS.items()}
    differs = Q()
    for column in counters.COLUMNS.values():
        differs |= ~Q(**{column: F(f"expected_{column}")})
    return Book.objects.annotate(**expected).filter(differs)


def _recount(status: str) -> Any:
    entries = Entry.objects.filter(book=OuterRef("pk"), status=status, club__visibility="public").order_by()
    return Coalesce(Subquery(entries.values("book").annotate(n=Count("club", distinct=True)).values("n")), 0)


def _lock_list(club: Club) -> None:
    """Lock the books of a club's list, then its entries."""
    entries = Entry.objects.filter(club=club)
    list(Book.objects.select_for_update().filter(pk__in=entries.values("book")).order_by("pk").values_list("pk"))
    list(entries.select_for_update().order_by("pk").values_list("pk"))


def _count(club: Club, sign: int) -> None:
    entries = Entry.objects.filter(club=club, status__in=counters.COLUMNS)
    counters.update_counts_for_club(set(entries.values_list("book", "status")), sign)
    finished = entries.filter(status=EntryStatus.FINISHED)
    counters.count_finished(finished.values_list("finished_on", flat=True), sign)
