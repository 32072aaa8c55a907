"""Admin mixin that links an object to its case."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from core.admin.base import AuditedModelAdmin
from core.admin.filters import parse_id


class ReportableModelAdmin(AuditedModelAdmin):
    """Model admin of objects that can be reported: moderators can open the case of an object from its page.

    `target_type` is the name of the report target.
    """

    target_type: str
    actions_detail = ("open_case",)

    @action(description=_("Open a case"), url_path="case", icon="gavel", permissions=["case"])  # type: ignore[untyped-decorator]
    def open_case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the case of the object; it is created if there is none."""
        pk = parse_id(object_id)
        if pk is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:moderation_case_open", args=[self.target_type, pk]))

    def has_case_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Allow users who may decide cases."""
        return request.user.has_perm("moderation.decide")
