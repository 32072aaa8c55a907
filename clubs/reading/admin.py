"""Reading lists in the admin: looked at by staff, who may take a book off a list; the rest is the clubs' own."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from accounts.models import User
from bookbridge.api.text import fold
from clubs.clubs.models import Club
from clubs.reading.models import Entry, EntryChange, Milestone, Progress


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that are looked at, found by their club through an index; no dropdown loads a table."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)
    search_fields = ("club",)
    search_help_text = _("A club's id, or the beginning of its name")
    club = "club"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The API makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The API changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They go with what they belong to."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of the clubs that are meant."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(name_key__startswith=fold(term))
        clubs = Club.objects.filter(Q(pk=int(term)) if term.isdecimal() else named)
        return queryset.filter(**{f"{self.club}__in": clubs}), False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Books on clubs' lists."""

    list_display = ("id", "club", "position", "book", "status", "added_by", "starts_on", "ends_on", "created_at")
    list_filter = ("status",)
    list_select_related = ("club", "book", "added_by")
    actions = ("remove",)

    @admin.action(description=_("Take these books off their lists"), permissions=["view"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        """As a moderator of the club would; milestones and marks go along, counters and places stay right."""
        entries = list(Entry.objects.filter(pk__in=queryset.values("pk")).select_related("club").order_by("club", "pk"))
        for entry in entries:
            entry.remove(by=cast(User, request.user))
        self.message_user(request, _("%(count)d entries removed.") % {"count": len(entries)})


@admin.register(EntryChange)
class EntryChangeAdmin(ReadOnlyAdmin):
    """Who changed what on a list."""

    list_display = ("id", "at", "actor", "club", "book", "field", "old", "new")
    list_filter = ("field",)
    list_select_related = ("club", "book", "actor")


@admin.register(Milestone)
class MilestoneAdmin(ReadOnlyAdmin):
    """Schedules."""

    club = "entry__club"
    list_display = ("id", "entry", "title", "up_to_percent", "up_to_chapter", "due_on")
    list_select_related = ("entry",)


@admin.register(Progress)
class ProgressAdmin(ReadOnlyAdmin):
    """Marks that readers show; hidden ones are theirs alone."""

    club = "entry__club"
    list_display = ("id", "entry", "user", "percent", "unit", "updated_at")
    list_filter = ("unit",)
    list_select_related = ("entry", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Progress]:
        """Those that are not hidden."""
        return cast(QuerySet[Progress], super().get_queryset(request).filter(hidden=False))
