"""Base of the admin pages of logs: read-only, searchable, exportable."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter
from unfold.decorators import action

from core.admin.base import ReadOnlyModelAdmin
from core.admin.csv_export import csv_response, iter_newest_first
from core.admin.filters import parse_id
from core.audit import log_audit_event
from core.search.normalize import normalize_identifier


def resolve_user_id(text: str) -> int:
    """Return the id of the user with this id or username, or 0, which matches nothing."""
    user_id = parse_id(text)
    if user_id is not None:
        return user_id
    users = get_user_model().objects.filter(username_key=normalize_identifier(text))
    return users.values_list("pk", flat=True).first() or 0


class VerbFilter(admin.SimpleListFilter):
    """Base of the filters by verb."""

    title, parameter_name = _("event"), "verb"
    # The theme's form keeps the selected value of filters that have these two, as field filters do.
    lookup_kwarg = parameter_name

    @property
    def lookup_val(self) -> list[str | None]:
        return [self.value()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ActorFilter(TextFilter):
    """Filter by the actor's username or id."""

    title, parameter_name = _("actor"), "actor"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = str(self.value() or "").strip()
        return queryset.filter(actor=resolve_user_id(text)) if text else queryset


class LogModelAdmin(ReadOnlyModelAdmin):
    """Base of the pages of logs, whose rows have `created_at`, `verb` and `actor`."""

    list_filter_submit = True
    # The order of ids is the same, but with this one a period is an index range.
    ordering = ("-created_at", "-id")
    sortable_by = ("created_at",)
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    actions_list = ("export",)
    actions = None
    # The columns and the name of the file, and the verb of the export in the audit log.
    export_fields: ClassVar[tuple[str, ...]]
    file_name: ClassVar[str]
    export_verb: ClassVar[str]

    @action(description=_("Export as CSV"), url_path="export", icon="download", permissions=["view"])  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Export all rows of the list, and record that in the audit log. With invalid filters, redirect to the list."""
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{page}?{ERROR_FLAG}=1")
        log_audit_event(self.export_verb, by=request.user, detail=request.META.get("QUERY_STRING", ""))
        lines = (
            [_format_cell(self.get_export_value(row, name)) for name in self.export_fields]
            for row in iter_newest_first(rows)
        )
        return csv_response(self.file_name, self.export_fields, lines)

    def get_export_value(self, row: Any, name: str) -> Any:
        """Return the value of a column in the file."""
        return getattr(row, name)


def _format_cell(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
