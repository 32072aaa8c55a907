"""Read-only admin of the activity log, with search and CSV export."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter

from activity.models import Event
from activity.verbs import VERBS
from bookbridge.api.admin import PeriodFilter, id_in
from bookbridge.api.log_pages import ActorFilter, LogAdmin, VerbFilter, account_in

# Object types whose titles are written by club members.
SAID = ("ballot", "meeting", "milestone", "post", "thread")


class EventVerbFilter(VerbFilter):
    """Filters by verb."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb, verb) for verb in sorted(VERBS)]


class ClubFilter(TextFilter):
    """Filters by the id of the club."""

    title, parameter_name = _("club"), "club"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = str(self.value() or "").strip()
        return queryset.filter(club=id_in(text) or 0) if text else queryset


@admin.register(Event)
class EventAdmin(LogAdmin):
    """Admin of events."""

    list_display = ("id", "at", "verb", "actor", "subject", "shown_object", "club")
    list_filter = (EventVerbFilter, ActorFilter, ClubFilter, ("at", PeriodFilter))
    beside = ("actor", "subject", "club")
    search_help_text = _("A username, or an object such as review:7")
    fields = ("at", "verb", "actor", "actor_gone", "subject", "shown_object", "club")
    readonly_fields = fields
    exported = ("id", "at", "verb", "actor", "subject", "object_type", "object_id", "object_title", "club_id", "club")
    file_name, export_verb = "activity", "activity.exported"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        kind, _colon, number = term.rpartition(":")
        if not term:
            return queryset, False
        if kind and id_in(number) is not None:
            return queryset.filter(object_type=kind.lower(), object_id=id_in(number)), False
        account = account_in(term)
        return queryset.filter(Q(actor=account) | Q(subject=account)), False

    @admin.display(description=_("to what"))
    def shown_object(self, event: Event) -> str:
        """Return the title at the time of the event, and the term that finds the object."""
        thing = event.thing
        return f"{shown_title(event)} ({thing.type}:{thing.id})" if thing else "-"

    def exported_value(self, row: Any, name: str) -> Any:
        return shown_title(row) if name == "object_title" else super().exported_value(row, name)


def shown_title(event: Event) -> str:
    """Return the title, or an ellipsis for content of private clubs, which staff may see only in a case."""
    club: Any = event.club
    hidden = event.object_type in SAID and (club is None or club.is_private)
    return "…" if hidden else event.object_title
