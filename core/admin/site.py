"""Base of the admin site."""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from core.audit import log_audit_event

View = Callable[..., HttpResponseBase]


class BaseAdminSite(UnfoldAdminSite):
    """The theme's site with the project's name. `accounts.admin_site` adds the two-factor login."""

    site_title = site_header = "BookBridge"
    index_title = _("Administration")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap a view so that denied requests are recorded in the audit log."""
        wrapped_view = super().admin_view(view, cacheable)

        @wraps(wrapped_view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return wrapped_view(request, *args, **kwargs)
            except PermissionDenied:
                log_audit_event(
                    "admin.refused", by=request.user, detail=f"{request.method} {request.path}", refused=True
                )
                raise

        return inner

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Order by id instead of time: the order is the same, and the index on the user has it."""
        return super().get_log_entries(request).order_by("-pk")

    def _search_apps(self, *args: Any) -> list[Any]:
        # The theme caches the results, and our cache stores JSON only.
        return [asdict(result) for result in super()._search_apps(*args)]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Return 404 for a page number that does not exist."""
        try:
            return super().search(request, extra_context)
        except InvalidPage:
            raise Http404 from None

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Use `password_change_form`, which accounts sets; the theme's own view always uses the same form."""
        view = PasswordChangeView.as_view(
            form_class=self.password_change_form,
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context=self.page_context(request, **extra_context or {}),
        )
        return view(request)

    def page_context(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """Return the context of a page that does not belong to a model."""
        request.current_app = self.name
        return self.each_context(request) | context
