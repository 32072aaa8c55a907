"""The log in the admin: read, searched and taken along, and changed by nobody."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter
from unfold.decorators import action

from activity.models import Event
from activity.verbs import VERBS
from bookbridge.api.admin import LookingAdmin, PeriodFilter, id_in
from bookbridge.api.audit import audit
from bookbridge.api.exports import csv_answer, newest_first
from bookbridge.api.text import identifier_key

EXPORTED = ("id", "at", "verb", "actor", "subject", "object_type", "object_id", "object_title", "club_id", "club")

# What bears a title that members of a club have written.
SAID = ("ballot", "meeting", "milestone", "post", "thread")


class VerbFilter(admin.SimpleListFilter):
    """By what was done."""

    title, parameter_name = _("what"), "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All the verbs there are."""
        return [(verb, verb) for verb in sorted(VERBS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those events."""
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ActorFilter(TextFilter):
    """By who did it: a username or an account's id."""

    title, parameter_name = _("who"), "who"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those events."""
        text = str(self.value() or "").strip()
        return queryset.filter(actor=_account(text)) if text else queryset


class ClubFilter(TextFilter):
    """By the id of the club it happened in."""

    title, parameter_name = _("club"), "club"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those events; none where this is no id."""
        text = str(self.value() or "").strip()
        return queryset.filter(club=id_in(text) or 0) if text else queryset


@admin.register(Event)
class EventAdmin(LookingAdmin):
    """What happened, by whom, to what, and in which club."""

    list_display = ("id", "at", "verb", "actor", "subject", "shown_object", "club")
    list_filter = (VerbFilter, ActorFilter, ClubFilter, ("at", PeriodFilter))
    list_filter_submit = True
    # An event's id and its moment grow alike; by the moment a period is a range of an index.
    ordering = ("-at", "-id")
    sortable_by = ("at",)
    beside = ("actor", "subject", "club")
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("id",)
    search_help_text = _("A username, or an object such as review:7")
    fields = ("at", "verb", "actor", "actor_gone", "subject", "shown_object", "club")
    readonly_fields = fields
    actions_list = ("export",)
    actions = None

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
        account = _account(term)
        return queryset.filter(Q(actor=account) | Q(subject=account)), False

    @admin.display(description=_("to what"))
    def shown_object(self, event: Event) -> str:
        """What it was called then, and how to search for it."""
        thing = event.thing
        return f"{shown_title(event)} ({thing.type}:{thing.id})" if thing else "-"

    @action(description=_("Take along as CSV"), url_path="export", icon="download", permissions=["view"])  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows, all of it; which the audit log notes."""
        rows = self.get_changelist_instance(request).get_queryset(request)
        audit("activity.exported", by=request.user, detail=request.META.get("QUERY_STRING", ""))
        lines = ([_cell(event, name) for name in EXPORTED] for event in newest_first(rows))
        return csv_answer("activity", EXPORTED, lines)


def _account(text: str) -> int:
    """The id of an account by its id or name; one that nobody has where there is none."""
    number = id_in(text)
    if number is not None:
        return number
    found = get_user_model().objects.filter(username_key=identifier_key(text)).values_list("pk", flat=True).first()
    return found or 0


def shown_title(event: Event) -> str:
    """What it was called; not of what is written in a private club, which staff read in a case alone."""
    club: Any = event.club
    hidden = event.object_type in SAID and (club is None or club.is_private)
    return "…" if hidden else event.object_title


def _cell(event: Event, name: str) -> Any:
    value = shown_title(event) if name == "object_title" else getattr(event, name)
    return value.isoformat() if hasattr(value, "isoformat") else value
