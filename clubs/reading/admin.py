"""Reading lists in the admin: looked at by staff, who may take a book off a list; the rest is the clubs' own."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from accounts.models import User
from clubs.reading.models import Entry, EntryChange, Milestone, Progress


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that are looked at: found through an index, never counted, no dropdown that loads a table."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The API makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The API changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They go with what they belong to."""
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Books on clubs' lists."""

    list_display = ("id", "club", "position", "book", "status", "added_by", "starts_on", "ends_on", "created_at")
    list_filter = ("status",)
    list_select_related = ("club", "book", "added_by")
    search_fields = ("=club__id", "=book__id", "club__name_key__startswith", "book__title_key__startswith")
    search_help_text = _("A club's or a book's id, or the beginning of its name")
    raw_id_fields = ("club", "book", "added_by")
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
    search_fields = ("=club__id", "=book__id", "actor__username_key__startswith")
    search_help_text = _("A club's or a book's id, or the beginning of a username")


@admin.register(Milestone)
class MilestoneAdmin(ReadOnlyAdmin):
    """Schedules."""

    list_display = ("id", "entry", "title", "up_to_percent", "up_to_chapter", "due_on")
    list_select_related = ("entry",)
    search_fields = ("=entry__id", "=entry__club__id", "title__istartswith")
    search_help_text = _("An entry's or a club's id, or the beginning of a title")


@admin.register(Progress)
class ProgressAdmin(ReadOnlyAdmin):
    """Marks that readers show; hidden ones are theirs alone."""

    list_display = ("id", "entry", "user", "percent", "unit", "updated_at")
    list_filter = ("unit",)
    list_select_related = ("entry", "user")
    search_fields = ("=entry__id", "=entry__club__id", "user__username_key__startswith")
    search_help_text = _("An entry's or a club's id, or the beginning of a username")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Progress]:
        """Those that are not hidden."""
        return cast(QuerySet[Progress], super().get_queryset(request).filter(hidden=False))
