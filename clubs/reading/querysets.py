"""Queries for reading list entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import USER_SUMMARY, User
from catalog.models import BOOK_SUMMARY, Book
from clubs.club.choices import Visibility
from clubs.reading import counters
from clubs.reading.choices import HUNDRED_PERCENT, EntryStatus
from clubs.reading.models.consents import SpoilerConsent
from clubs.reading.models.progress import Progress, percent_field
from core.db.joins import other_columns
from core.registry import entry_annotations

if TYPE_CHECKING:
    from clubs.reading.models import Entry  # noqa: F401  # used by the base class below

PROGRESS_FIELDS = ("percent", "hidden", "stopped", "finished_on", "updated_at")


class EntryQuerySet(models.QuerySet["Entry"]):
    """Queries for entries."""

    def with_details_for(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Load everything a response to `user` contains, in one query."""
        finished = Progress.objects.visible().filter(entry=OuterRef("pk"), percent=HUNDRED_PERCENT)
        members_finished = finished.order_by().values("entry").annotate(n=Count("pk")).values("n")
        return (
            self.select_related("book", "added_by")
            .defer(*other_columns("book", Book, *BOOK_SUMMARY), *other_columns("added_by", User, *USER_SUMMARY))
            .annotate(members_finished=Coalesce(Subquery(members_finished), 0))
            .annotate(**{name: expression() for name, expression in entry_annotations.items()})
            .with_progress_of(user)
        )

    def with_progress_of(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Annotate the fields of the progress of `user` as `own_percent`, `own_hidden` etc.; NULL without any."""
        if not user.is_authenticated:
            return self.annotate(own_percent=Value(None, output_field=percent_field(null=True)))
        # A user has at most one progress per entry, so the join does not multiply rows.
        rows = self.alias(own=FilteredRelation("progress", condition=Q(progress__user=user.pk)))
        consent = SpoilerConsent.objects.filter(entry=OuterRef("pk"), user=user.pk)
        own: dict[str, Any] = {f"own_{name}": F(f"own__{name}") for name in PROGRESS_FIELDS}
        return rows.annotate(**own, own_spoilers_ok=Exists(consent))

    def count_by_book(self, books: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return the expected club counters of these books (`clubs.reading.counters`), where they are not 0."""
        counted = self.filter(book__in=books, club__visibility=Visibility.PUBLIC, status__in=counters.COLUMNS)
        counts: dict[int, dict[str, int]] = {}
        # A club that reads a book again counts once.
        clubs = Count("club", distinct=True)
        for book, status, n in counted.order_by().values_list("book", "status").annotate(n=clubs):
            counts.setdefault(book, {})[counters.COLUMNS[EntryStatus(status)]] = n
        return counts

    def current(self) -> EntryQuerySet:
        """Return the first entry in status `reading` of each club."""
        reading = self.model.objects.filter(club=OuterRef("club"), status=EntryStatus.READING).order_by("position")
        return self.filter(status=EntryStatus.READING, position=Subquery(reading.values("position")[:1]))
