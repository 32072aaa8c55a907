"""Admin of reading lists. Staff may look at them and remove entries."""

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from accounts.authentication import caller
from bookbridge.api.admin import LookingAdmin, id_in
from bookbridge.api.text import fold
from clubs.clubs.models import Club
from clubs.reading.models import Entry, EntryChange, Milestone, Progress
from clubs.reading.rules import Status
from clubs.shown import said


class OfClubAdmin(LookingAdmin):
    """Base class for rows of a club, searchable by club id or name prefix."""

    club = "club"
    # Only enables the search box; see `get_search_results`.
    search_fields = ("club__id",)
    search_help_text = _("A club id, or the beginning of a club name")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        number = id_in(term)
        clubs = Club.objects.filter(Q(name_key__startswith=fold(term)) if number is None else Q(pk=number))
        return queryset.filter(**{f"{self.club}__in": clubs}), False


@admin.register(Entry)
class EntryAdmin(OfClubAdmin):
    """Reading list entries."""

    list_display = ("id", "club", "position", "book", "status", "added_by", "starts_on", "ends_on", "created_at")
    list_filter = ("status",)
    beside = ("club", "book", "added_by")
    fields = (*list_display[1:], said(Entry, "note"))
    actions = ("remove",)

    @admin.action(description=_("Remove selected books from their lists"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        removed = 0
        for entry in Entry.objects.filter(pk__in=queryset.values("pk")).select_related("club").order_by("club", "pk"):
            with suppress(Http404):
                entry.remove(by=caller(request))
                removed += 1
        self.message_user(request, _("Entries removed: %(count)d.") % {"count": removed})

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("clubs.delete_entry")


def _in_words(change: EntryChange, value: str) -> Any:
    """Return the label of a status, or a date for the date fields."""
    if change.field == "status":
        return dict(Status.choices).get(value, value)
    return parse_date(value) if change.field in ("starts_on", "ends_on") and value else value


def _column(name: str) -> Any:
    return said(EntryChange, name, when=lambda change: change.field == "note", otherwise=_in_words)


@admin.register(EntryChange)
class EntryChangeAdmin(OfClubAdmin):
    """History of reading lists."""

    list_display = ("id", "at", "actor", "club", "book", "what", *(_column(name) for name in ("old", "new")))
    fields = list_display[1:]
    beside = ("club", "book", "actor")

    @admin.display(description=_("field"))
    def what(self, change: EntryChange) -> Any:
        return Entry._meta.get_field(change.field).verbose_name  # type: ignore[union-attr]


@admin.register(Milestone)
class MilestoneAdmin(OfClubAdmin):
    """Milestones."""

    club = "entry__club"
    list_display = (
        "id",
        "entry",
        said(Milestone, "title", club="entry.club"),
        *("up_to_percent", "up_to_chapter", "due_on"),
    )
    beside = ("entry__club",)
    fields = list_display[1:]


@admin.register(Progress)
class ProgressAdmin(OfClubAdmin):
    """Visible reading progress. Hidden progress is private."""

    club = "entry__club"
    list_display = ("id", "entry", "user", "percent", "unit", "updated_at")
    list_filter = ("unit",)
    beside = ("entry", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(hidden=False)
