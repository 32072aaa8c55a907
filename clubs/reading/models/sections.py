"""Sections of a book: names of percentages, for readers of different editions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext_lazy as _

from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.services import record_event
from clubs.reading.guards import open_to
from clubs.reading.models.progress import Progress, percent_field
from core.api.exceptions import InvalidFieldError
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.reading.models.entries import Entry

MAX_SECTIONS = 300
SECTION_TITLE_LENGTH = 200


class SectionQuerySet(models.QuerySet["Section"]):
    """Queries for sections."""

    def with_access_of(self, user: User) -> SectionQuerySet:
        """Annotate the progress of `user` as `own_percent` (NULL without any), and whether the book is open to them."""
        own = Progress.objects.filter(entry=OuterRef("entry"), user=user.pk).values("percent")
        is_open = Case(When(open_to(user, "entry"), then=Value(True)), default=Value(False))
        return self.annotate(own_percent=Subquery(own), is_open=is_open)

    def percent_of(self, entry_id: int, number: int) -> Decimal:
        """Return the percentage at which a section ends. Raises InvalidFieldError if the book has no such section."""
        percent = self.filter(entry=entry_id, number=number).values_list("up_to_percent", flat=True).first()
        if percent is None:
            raise InvalidFieldError("section", "does_not_exist", _("This book has no such section."))
        return percent


class Section(models.Model):
    """A part of the book of an entry, such as a chapter, which ends at `up_to_percent`. Numbers are 1..n in order."""

    entry = models.ForeignKey(
        "clubs.Entry", models.CASCADE, related_name="sections", db_index=False, verbose_name=_("entry")
    )
    number = models.PositiveSmallIntegerField(verbose_name=_("number"))
    title = models.CharField(max_length=SECTION_TITLE_LENGTH, verbose_name=_("title"))
    up_to_percent = percent_field(verbose_name=_("up to percent"))

    objects = SectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        default_permissions = ()
        ordering = ["entry", "number"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "number"], name="clubs_section_once"),
            models.CheckConstraint(condition=Q(up_to_percent__range=(0, 100)), name="clubs_section_percent"),
        ]

    def __str__(self) -> str:
        # Not the title: the admin shows this, and it may be a spoiler.
        return f"#{self.number}"

    @classmethod
    @atomic_with_retry
    def set_sections(cls, *, entry: Entry, by: User, sections: Sequence[tuple[str, Decimal]]) -> None:
        """Replace the sections of an entry, given as titles and ends. Raises Http404 if the entry was deleted."""
        entry.lock()
        before = list(entry.sections.values_list("title", "up_to_percent"))
        if before == list(sections):
            return
        entry.sections.all().delete()
        Section.objects.bulk_create(
            Section(entry=entry, number=number, title=title, up_to_percent=percent)
            for number, (title, percent) in enumerate(sections, 1)
        )
        record_change(ChangeType.ENTRY, entry.pk, club=entry.club_id)
        record_event("sections.changed", actor=by.pk, object_ref=entry.object_ref, club=entry.club_id)
