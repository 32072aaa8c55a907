"""The way from the page of a thing to its case."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from bookbridge.api.admin.base import AuditedAdmin
from bookbridge.api.admin.filters import id_in


class ReportableAdmin(AuditedAdmin):
    """Pages of things that can be reported, by the `word` of their target: from each, who decides opens its case."""

    word: str
    actions_detail = ("open_a_case",)

    @action(description=_("Open a case"), url_path="case", icon="gavel", permissions=["case"])  # type: ignore[untyped-decorator]
    def open_a_case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Its case, made where there is none."""
        pk = id_in(object_id)
        if pk is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:moderation_case_about", args=[self.word, pk]))

    def has_case_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may decide."""
        return request.user.has_perm("moderation.decide")
