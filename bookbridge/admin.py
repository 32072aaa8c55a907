"""The staff's site."""

from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):
    """The theme's site under the product's name."""

    site_title = site_header = "BookBridge"
    index_title = _("The staff’s room")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """As Django's: by `password_change_form`, which accounts sets; the theme's own page knows one form alone."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=self.password_change_form,
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context=self.each_context(request) | (extra_context or {}),
        )
        return view(request)
