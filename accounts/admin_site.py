"""The admin site of staff, with two-factor authentication."""

from functools import wraps
from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from accounts.events import emit
from accounts.two_factor import sessions
from accounts.two_factor.forms import TwoFactorLoginForm
from accounts.two_factor.views import AdminLoginView, TwoFactorSettingsView, TwoFactorSetupView
from core.admin.site import BaseAdminSite


class AdminSite(BaseAdminSite):
    """Admin site that requires a two-factor session."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is staff and their two-factor session is valid."""
        return super().has_permission(request) and sessions.is_session_valid(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap the view so that each request extends the session."""
        wrapped_view = super().admin_view(view, cacheable)

        @wraps(wrapped_view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            sessions.record_activity(request)
            return wrapped_view(request, *args, **kwargs)

        return inner

    def extra_urls(self) -> list[URLPattern]:
        """Return the URLs of the two-factor pages."""
        return [
            path("two-factor/setup/", self.two_factor_setup, name="two_factor_setup"),
            path("two-factor/", self.admin_view(self.two_factor_settings), name="two_factor_settings"),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Render the login page with a field for the code."""
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = self.page_context(request, title=_("Log in"), app_path=request.get_full_path(), **extra_context or {})
        if REDIRECT_FIELD_NAME not in request.GET | request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        view = AdminLoginView.as_view(
            extra_context=context,
            authentication_form=TwoFactorLoginForm,
            template_name="accounts/login.html",
            next_page="admin:index",
        )
        return view(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Log out and record the event."""
        user = request.user.pk
        response = super().logout(request, extra_context)
        if user and not request.user.is_authenticated:
            emit("staff.signed_out", user)
        return response

    def two_factor_setup(self, request: HttpRequest) -> HttpResponseBase:
        """Render the setup page, which is accessible only between the password and the first code."""
        return TwoFactorSetupView.as_view(
            extra_context=self.page_context(request, title=_("Two-factor authentication"))
        )(request)

    def two_factor_settings(self, request: HttpRequest) -> HttpResponseBase:
        """Render the page that manages the user's own device."""
        return TwoFactorSettingsView.as_view(extra_context=self.page_context(request))(request)
