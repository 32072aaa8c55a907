"""The log in the admin: read, searched and taken along, and changed by nobody."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter

from activity.models import Event
from activity.verbs import VERBS
from bookbridge.api.admin.filters import PeriodFilter, id_in
from bookbridge.api.admin.log_admin import ActorFilter, LogAdmin, VerbFilter, account_in

# What bears a title that members of a club have written.
SAID = ("ballot", "meeting", "milestone", "post", "thread")


class EventVerbFilter(VerbFilter):
    """By what was done."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All the verbs there are."""
        return [(verb, verb) for verb in sorted(VERBS)]


class ClubFilter(TextFilter):
    """By the id of the club it happened in."""

    title, parameter_name = _("club"), "club"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those events; none where this is no id."""
        text = str(self.value() or "").strip()
        return queryset.filter(club=id_in(text) or 0) if text else queryset


@admin.register(Event)
class EventAdmin(LogAdmin):
    """What happened, by whom, to what, and in which club."""

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
        """By object, or by an account: what it did and what was done to it."""
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
        """What it was called then, and how to search for it."""
        thing = event.thing
        return f"{shown_title(event)} ({thing.type}:{thing.id})" if thing else "-"

    def exported_value(self, row: Any, name: str) -> Any:
        """The same as the list shows of it."""
        return shown_title(row) if name == "object_title" else super().exported_value(row, name)


def shown_title(event: Event) -> str:
    """What it was called; not of what is written in a private club, which staff read in a case alone."""
    club: Any = event.club
    hidden = event.object_type in SAID and (club is None or club.is_private)
    return "…" if hidden else event.object_title
