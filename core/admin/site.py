"""The staff's site."""

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
    """The theme's site under the product's name; `accounts.admin_site` adds how staff sign in."""

    site_title = site_header = "BookBridge"
    index_title = _("Administration")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's; a request that is refused stands in the audit log."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return guarded(request, *args, **kwargs)
            except PermissionDenied:
                log_audit_event(
                    "admin.refused", by=request.user, detail=f"{request.method} {request.path}", refused=True
                )
                raise

        return inner

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """As Django's, by their ids, which grow with their moments: somebody's last ten are the end of an index."""
        return super().get_log_entries(request).order_by("-pk")

    def _search_apps(self, *args: Any) -> list[Any]:
        # The theme keeps them in the cache, and ours takes JSON alone.
        return [asdict(found) for found in super()._search_apps(*args)]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """As the theme's; a page that there is not is not found."""
        try:
            return super().search(request, extra_context)
        except InvalidPage:
            raise Http404 from None

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """As Django's: by `password_change_form`, which accounts sets; the theme's own page knows one form alone."""
        view = PasswordChangeView.as_view(
            form_class=self.password_change_form,
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context=self.page_context(request, **extra_context or {}),
        )
        return view(request)

    def page_context(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """Return the context of a page that is no model's."""
        request.current_app = self.name
        return self.each_context(request) | context
