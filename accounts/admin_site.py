"""The admin site of staff, who sign in with a second factor."""

from functools import wraps
from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from accounts.happenings import happened
from accounts.staff import sittings
from accounts.staff.forms import SignInForm
from accounts.staff.views import EnrolView, SecondFactorView, SignInView
from bookbridge.admin import BaseAdminSite


class AdminSite(BaseAdminSite):
    """The site, which opens to whole sign-ins alone."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Of the staff, with a second factor shown, and not for too long."""
        return super().has_permission(request) and sittings.is_open(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As the base's; a request keeps the sign-in awake."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            sittings.touch(request)
            return guarded(request, *args, **kwargs)

        return inner

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
        context = self.page_context(request, title=_("Log in"), app_path=request.get_full_path(), **extra_context or {})
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
        return EnrolView.as_view(extra_context=self.page_context(request, title=_("Second factor")))(request)

    def second_factor(self, request: HttpRequest) -> HttpResponseBase:
        """One's own second factor."""
        return SecondFactorView.as_view(extra_context=self.page_context(request))(request)
