"""What the rest of the product asks of reading lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import Book
from clubs.reading import counters
from clubs.reading.models import Entry

if TYPE_CHECKING:
    from clubs.clubs.models import Club


def visibility_changed(club: Club) -> None:
    """Count a club's books that turned public, stop counting those of one that turned private.

    For whoever changes the club, after the change, in its transaction and holding the club's row; once per change.
    """
    _count(club, -1 if club.is_private else 1)


def club_deleted(club: Club) -> None:
    """Take a club's list out of every counter and away, before the club goes.

    For whoever deletes the club, in its transaction and holding the club's row.
    """
    entries = Entry.objects.filter(club=club)
    list(Book.objects.select_for_update().filter(pk__in=entries.values("book")).order_by("pk").values_list("pk"))
    # The rows themselves are held before what refers to them is deleted, so that no mark slips in between.
    list(entries.select_for_update().order_by("pk").values_list("pk"))
    if not club.is_private:
        _count(club, -1)
    entries.delete()


def miscounted() -> QuerySet[Any]:
    """Books whose counters are not what a recount from the lists gives: none, at any moment.

    With the right figures as `right_clubs_reading` and `right_clubs_finished`.
    """
    right = {f"right_{column}": _recount(status) for status, column in counters.COLUMNS.items()}
    wrong = Q()
    for column in counters.COLUMNS.values():
        wrong |= ~Q(**{column: F(f"right_{column}")})
    return Book.objects.annotate(**right).filter(wrong)


def _recount(status: str) -> Any:
    entries = Entry.objects.filter(book=OuterRef("pk"), status=status, club__visibility="public").order_by()
    return Coalesce(Subquery(entries.values("book").annotate(n=Count("pk")).values("n")), 0)


def _count(club: Club, sign: int) -> None:
    entries = Entry.objects.filter(club=club, status__in=counters.COLUMNS)
    counters.count_all(dict(entries.values_list("book", "status")), sign)
    counters.count_finished(entries.values_list("finished_at", flat=True), sign)
