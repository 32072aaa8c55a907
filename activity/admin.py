"""Read-only admin of the activity log, with search and CSV export."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter

from activity.models import Event
from activity.verbs import VERBS
from core.admin.filters import DateTimeRangeFilter, parse_id
from core.admin.log_admin import ActorFilter, LogModelAdmin, VerbFilter, resolve_user_id

# Object types whose titles are written by club members.
PRIVATE_CONTENT_TYPES = ("ballot", "date_poll", "meeting", "milestone", "post", "thread")


class EventVerbFilter(VerbFilter):
    """Filters by verb."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb, str(text)) for verb, text in VERBS.items()]


class ClubFilter(TextFilter):
    """Filters by the id of the club."""

    title, parameter_name = _("club"), "club"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = str(self.value() or "").strip()
        return queryset.filter(club=parse_id(text) or 0) if text else queryset


@admin.register(Event)
class EventAdmin(LogModelAdmin):
    """Admin of events."""

    list_display = ("id", "created_at", "verb", "actor", "subject", "object_display", "club")
    list_filter = (EventVerbFilter, ActorFilter, ClubFilter, ("created_at", DateTimeRangeFilter))
    list_prefetch_related = ("actor", "subject", "club")
    search_help_text = _("A username, or an object such as review:7")
    fields = ("created_at", "verb", "actor", "actor_deleted", "subject", "object_display", "club")
    readonly_fields = fields
    export_fields = (
        "id",
        "created_at",
        "verb",
        "actor",
        "subject",
        "object_type",
        "object_id",
        "object_title",
        "club_id",
        "club",
    )
    file_name, export_verb = "activity", "activity.exported"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        kind, _colon, number = term.rpartition(":")
        if not term:
            return queryset, False
        if kind and parse_id(number) is not None:
            return queryset.filter(object_type=kind.lower(), object_id=parse_id(number)), False
        account = resolve_user_id(term)
        return queryset.filter(Q(actor=account) | Q(subject=account)), False

    @admin.display(description=_("to what"))
    def object_display(self, event: Event) -> str:
        """Return the title at the time of the event, and the search term for the object."""
        ref = event.object_ref
        return f"{redacted_title(event)} ({ref.type}:{ref.id})" if ref else "-"

    def get_export_value(self, row: Any, name: str) -> Any:
        return redacted_title(row) if name == "object_title" else super().get_export_value(row, name)


def redacted_title(event: Event) -> str:
    """Return the title, or an ellipsis for content of private clubs, which staff may see only in a case."""
    club: Any = event.club
    hidden = event.object_type in PRIVATE_CONTENT_TYPES and (club is None or club.is_private)
    return "…" if hidden else event.object_title
