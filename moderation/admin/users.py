"""Admin of users with the panels for moderators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.admin import UserAdmin
from accounts.models import User
from core.admin.filters import parse_id
from moderation.admin_mixins import ReportableModelAdmin
from moderation.user_page import get_user_panels

admin.site.unregister(User)


@admin.register(User)
class ReportableUserAdmin(UserAdmin, ReportableModelAdmin):  # type: ignore[misc]
    """User admin with the action that opens a case; `accounts` cannot import moderation.

    Moderators see first what the user has written and what was decided about it.
    """

    target_type = "user"
    change_form_outer_before_template = "moderation/user_panels.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the panels for moderators."""
        user = User.objects.filter(pk=parse_id(object_id)).first() if request.method == "GET" else None
        panels = get_user_panels(user, request) if user and self.has_view_permission(request, user) else []
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {"user_panels": panels, **(extra_context or {})}
        )
        return response
