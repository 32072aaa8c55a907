"""Admin of decisions and case views, which are read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.formats import localize
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin.base import ReadOnlyModelAdmin
from moderation.choices import HiddenState
from moderation.models import CaseView, Decision


@admin.register(Decision)
class DecisionAdmin(ReadOnlyModelAdmin):
    """Read-only log of decisions."""

    list_display = ("id", "case", "action", "reason", "by_name", "subject", "created_at")
    list_filter = ("action",)
    list_prefetch_related = ("case", "subject")
    search_fields = ("by_name",)
    search_help_text = _("Username of the affected user")
    fields = (
        "case",
        "action",
        "reason",
        "comment",
        "until",
        "by_name",
        "subject",
        "undoes",
        "previous_state_display",
        "created_at",
    )
    readonly_fields = ("previous_state_display",)

    @admin.display(description=_("previous state"))
    def previous_state_display(self, decision: Decision) -> str:
        state = decision.previous_state
        labels = [str(HiddenState(state.get("hidden_state", "")).label)]
        if until := state.get("suspended_until"):
            labels.append(gettext("Suspended until %(until)s") % {"until": localize(parse_datetime(until))})
        return " · ".join(label for label in labels if label)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("moderation.view_case")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(subject__in=User.objects.with_username(term).values("pk")) if term else queryset), False


@admin.register(CaseView)
class CaseViewAdmin(ReadOnlyModelAdmin):
    """Read-only log of which moderator viewed which case."""

    list_display = ("id", "case", "by_name", "created_at")
    list_prefetch_related = ("case",)
    fields = ("case", "by_name", "created_at")
