"""Admin for revisions: word-level diffs that staff can revert."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.authentication import current_user
from catalog.diff import render_diff
from catalog.merges.admin_views import ReasonForm, column_label
from catalog.models import Revision
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import filter_by_username_prefix, parse_id
from core.api.exceptions import Conflict


@admin.register(Revision)
class RevisionAdmin(ReadOnlyModelAdmin):
    """Read-only admin for revisions. The page of one shows its diff and can revert it."""

    list_display = ("id", "book", "number", "fields_changed", "editor", "created_at")
    list_display_links = ("id",)
    list_prefetch_related = ("book", "editor")
    # Used by the link on the page of a book.
    extra_allowed_lookups = ("book__id__exact",)
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    search_help_text = _("Beginning of the editor's username")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (filter_by_username_prefix(queryset, "editor", search_term) if search_term.strip() else queryset), False

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_book")

    @admin.display(description=_("fields"))
    def fields_changed(self, revision: Revision) -> str:
        return ", ".join(map(column_label, revision.changes))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not (self.has_undo_permission(request) if request.method == "POST" else self.has_view_permission(request)):
            raise PermissionDenied
        rows = Revision.objects.select_related("book", "editor")
        revision = get_object_or_404(rows, pk=parse_id(object_id))
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._undo(request, revision, form.cleaned_data["reason"])
        changes = revision.changes.items()
        fields = [
            (name, column_label(name), render_diff(change["before"], change["after"])) for name, change in changes
        ]
        title = gettext("Change of a book") + f": {revision.book.title}"
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        context |= {"revision": revision, "fields": fields, "form": form if self.has_undo_permission(request) else None}
        return TemplateResponse(request, "catalog/revision.html", context)

    def _undo(self, request: HttpRequest, revision: Revision, reason: str) -> HttpResponse:
        try:
            new_revision = revision.revert(by=current_user(request), reason=reason)
        except Conflict as conflict:
            self.message_user(request, conflict.detail, messages.ERROR)
            return HttpResponseRedirect(request.path)
        if new_revision is None:
            self.message_user(
                request, _("Nothing to revert: the fields already have their earlier values."), messages.WARNING
            )
            return HttpResponseRedirect(request.path)
        self.message_user(request, _("Reverted. The reversal was saved as a new revision."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:catalog_revision_change", args=[new_revision.pk]))
