"""The staff's site."""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from accounts.happenings import happened
from accounts.staff import sittings
from accounts.staff.forms import SignInForm
from accounts.staff.views import EnrolView, SecondFactorView, SignInView
from bookbridge.api.audit import audit

View = Callable[..., HttpResponseBase]


class AdminSite(UnfoldAdminSite):
    """The theme's site under the product's name, which opens to whole sign-ins alone."""

    site_title = site_header = "BookBridge"
    index_title = _("The staff’s room")

    def has_permission(self, request: HttpRequest) -> bool:
        """Of the staff, with a second factor shown, and not for too long."""
        return super().has_permission(request) and sittings.is_open(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's; a request keeps the sign-in awake, and one that is refused stands in the audit log."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            sittings.touch(request)
            try:
                return guarded(request, *args, **kwargs)
            except PermissionDenied:
                audit("admin.refused", by=request.user, detail=f"{request.method} {request.path}", refused=True)
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

    def extra_urls(self) -> list[URLPattern]:
        """The pages of the second factor."""
        return [
            path("enrol/", self.enrol, name="enrol"),
            path("second-factor/", self.admin_view(self.second_factor), name="second_factor"),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """As Django's, with the second factor."""
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = self._context(request, title=_("Log in"), app_path=request.get_full_path(), **extra_context or {})
        if REDIRECT_FIELD_NAME not in request.GET | request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        view = SignInView.as_view(
            extra_context=context,
            authentication_form=SignInForm,
            template_name="admin/sign_in.html",
            next_page="admin:index",
        )
        return view(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """As Django's, and told."""
        user = request.user.pk
        answer = super().logout(request, extra_context)
        if user and not request.user.is_authenticated:
            happened("staff.signed_out", user)
        return answer

    def enrol(self, request: HttpRequest) -> HttpResponseBase:
        """Between the first password and the first code."""
        return EnrolView.as_view(extra_context=self._context(request, title=_("Second factor")))(request)

    def second_factor(self, request: HttpRequest) -> HttpResponseBase:
        """One's own second factor."""
        return SecondFactorView.as_view(extra_context=self._context(request))(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """As Django's: by `password_change_form`, which accounts sets; the theme's own page knows one form alone."""
        view = PasswordChangeView.as_view(
            form_class=self.password_change_form,
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context=self._context(request, **extra_context or {}),
        )
        return view(request)

    def _context(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        request.current_app = self.name
        return self.each_context(request) | context
