"""Admin for merges."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.authentication import current_user
from catalog.merges.admin_views import ReasonForm, column_label
from catalog.merges.runner import remaining
from catalog.merges.services import undo_merge
from catalog.models import Merge, MergeStatus
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import parse_id
from core.api.exceptions import Conflict


@admin.register(Merge)
class MergeAdmin(ReadOnlyModelAdmin):
    """Read-only admin for merges. The page of a merge can undo it."""

    list_display = ("id", "source", "target", "status", "created_by", "created_at", "undone_by", "undone_at")
    list_filter = ("status",)
    list_prefetch_related = ("source", "target", "created_by", "undone_by")

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.merge_books")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not (self.has_merge_permission(request) if request.method == "POST" else self.has_view_permission(request)):
            raise PermissionDenied
        merges = Merge.objects.select_related("target", "source", "created_by", "undone_by", "filled_revision")
        merge = get_object_or_404(merges, pk=parse_id(object_id))
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._undo(request, merge, form.cleaned_data["reason"])
        can_undo = self.has_merge_permission(request) and merge.status == MergeStatus.MERGED
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": capfirst(str(self.opts.verbose_name)),
            "merge": merge,
            "remaining": remaining(merge),
            "filled_fields": [column_label(name) for name in merge.filled_revision.changes]
            if merge.filled_revision
            else [],
        }
        return TemplateResponse(request, "catalog/merged.html", context | {"form": form if can_undo else None})

    def _undo(self, request: HttpRequest, merge: Merge, reason: str) -> HttpResponse:
        try:
            undo_merge(merge, by=current_user(request), reason=reason)
        except Conflict as conflict:
            self.message_user(request, conflict.detail, messages.ERROR)
        else:
            if merge.status == MergeStatus.UNDONE:  # otherwise the page shows the progress
                self.message_user(request, _("The merge was undone."), messages.SUCCESS)
        return HttpResponseRedirect(request.path)
