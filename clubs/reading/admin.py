"""Admin of reading lists. Staff may look at them and remove entries."""

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from clubs.admin_redaction import redacted_column
from clubs.club.models import Club
from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry, EntryChange, Milestone, Progress
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import parse_id
from core.search.normalize import fold_case_and_accents


class ClubChildAdmin(ReadOnlyModelAdmin):
    """Base class for rows of a club, searchable by club id or name prefix."""

    club_lookup = "club"
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("club__id",)
    search_help_text = _("A club id, or the beginning of a club name")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        number = parse_id(term)
        clubs = Club.objects.filter(
            Q(name_key__startswith=fold_case_and_accents(term)) if number is None else Q(pk=number)
        )
        return queryset.filter(**{f"{self.club_lookup}__in": clubs}), False


@admin.register(Entry)
class EntryAdmin(ClubChildAdmin):
    """Reading list entries."""

    list_display = ("id", "club", "position", "book", "status", "added_by", "starts_on", "ends_on", "created_at")
    list_filter = ("status",)
    list_prefetch_related = ("club", "book", "added_by")
    fields = (*list_display[1:], redacted_column(Entry, "note"))
    actions = ("remove",)

    @admin.action(description=_("Remove selected books from their lists"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        removed = 0
        for entry in Entry.objects.filter(pk__in=queryset.values("pk")).select_related("club").order_by("club", "pk"):
            with suppress(Http404):
                entry.delete_entry(by=None)
                removed += 1
        self.message_user(request, _("Entries removed: %(count)d.") % {"count": removed})

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("clubs.delete_entry")


def _format_value(change: EntryChange, value: str) -> Any:
    """Return the label of a status, or a date for the date fields."""
    if change.field == "status":
        return dict(EntryStatus.choices).get(value, value)
    return parse_date(value) if change.field in ("starts_on", "ends_on") and value else value


def _column(name: str) -> Any:
    return redacted_column(EntryChange, name, when=lambda change: change.field == "note", otherwise=_format_value)


@admin.register(EntryChange)
class EntryChangeAdmin(ClubChildAdmin):
    """History of reading lists."""

    list_display = ("id", "created_at", "actor", "club", "book", "field_display", _column("old"), _column("new"))
    fields = list_display[1:]
    list_prefetch_related = ("club", "book", "actor")

    @admin.display(description=_("field"))
    def field_display(self, change: EntryChange) -> Any:
        return Entry._meta.get_field(change.field).verbose_name  # type: ignore[union-attr]


@admin.register(Milestone)
class MilestoneAdmin(ClubChildAdmin):
    """Milestones."""

    club_lookup = "entry__club"
    list_display = (
        "id",
        "entry",
        redacted_column(Milestone, "title", club="entry.club"),
        *("up_to_percent", "up_to_chapter", "due_on"),
    )
    list_prefetch_related = ("entry__club",)
    fields = list_display[1:]


@admin.register(Progress)
class ProgressAdmin(ClubChildAdmin):
    """Visible reading progress. Hidden progress is private."""

    club_lookup = "entry__club"
    list_display = ("id", "entry", "user", "percent", "unit", "updated_at")
    list_filter = ("unit",)
    list_prefetch_related = ("entry", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(hidden=False)
