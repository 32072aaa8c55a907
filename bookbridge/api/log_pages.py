"""What the pages of a log in the admin have in common: it is read, searched and taken along, and changed by nobody."""

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

from bookbridge.api.admin import LookingAdmin, id_in
from bookbridge.api.audit import audit
from bookbridge.api.exports import csv_answer, newest_first
from bookbridge.api.text import identifier_key


def account_in(text: str) -> int:
    """The id of an account by its id or name; one that nobody has where there is none."""
    number = id_in(text)
    if number is not None:
        return number
    found = get_user_model().objects.filter(username_key=identifier_key(text)).values_list("pk", flat=True).first()
    return found or 0


class VerbFilter(admin.SimpleListFilter):
    """The base of the filters by what was done."""

    title, parameter_name = _("what"), "verb"
    # The theme's form sends along what is chosen among links where a filter has these, as those of columns have.
    lookup_kwarg = parameter_name

    @property
    def lookup_val(self) -> list[str | None]:
        """What is chosen."""
        return [self.value()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those lines."""
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ActorFilter(TextFilter):
    """By who did it: a username or an account's id."""

    title, parameter_name = _("who"), "who"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those lines."""
        text = str(self.value() or "").strip()
        return queryset.filter(actor=account_in(text)) if text else queryset


class LogAdmin(LookingAdmin):
    """The base of a log's pages. Its rows have `at`, `verb` and `actor`."""

    list_filter_submit = True
    # The id of a row and its moment grow alike; by the moment a period is a range of an index.
    ordering = ("-at", "-id")
    sortable_by = ("at",)
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("id",)
    actions_list = ("export",)
    actions = None
    # The columns of the file, what the file is called, and the verb of its own entry in the audit log.
    exported: ClassVar[tuple[str, ...]]
    file_name: ClassVar[str]
    export_verb: ClassVar[str]

    @action(description=_("Take along as CSV"), url_path="export", icon="download", permissions=["view"])  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows, all of it; which the audit log notes. Where it asks for nonsense, the list says so."""
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{page}?{ERROR_FLAG}=1")
        audit(self.export_verb, by=request.user, detail=request.META.get("QUERY_STRING", ""))
        lines = ([_cell(self.exported_value(row, name)) for name in self.exported] for row in newest_first(rows))
        return csv_answer(self.file_name, self.exported, lines)

    def exported_value(self, row: Any, name: str) -> Any:
        """What the file says of a row in a column."""
        return getattr(row, name)


def _cell(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
