"""Admin sign-in and the pages to set up and manage two-factor authentication."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from accounts.authentication import current_user
from accounts.events import emit
from accounts.models import User
from accounts.two_factor import sessions
from accounts.two_factor.forms import CodeForm, TwoFactorLoginForm
from accounts.two_factor.models import AlreadyEnrolledError, TOTPDevice, match_time_step
from accounts.two_factor.qr_codes import qr_code

FORM_DECORATORS = [sensitive_post_parameters(), csrf_protect, never_cache]


class AdminLoginView(LoginView):
    """Sign in with username, password and code. Users without a device are redirected to set one up."""

    def form_valid(self, form: Any) -> HttpResponse:
        user, factor = cast(User, form.get_user()), cast(TwoFactorLoginForm, form).device
        if settings.ADMIN_SECOND_FACTOR and factor is None:
            sessions.start_enrollment(self.request, user)
            query = urlencode({self.redirect_field_name: self.get_success_url()})
            return HttpResponseRedirect(f"{reverse('admin:two_factor_setup')}?{query}")
        sessions.start_session(self.request, user, factor)
        emit("staff.signed_in", user.pk)
        return HttpResponseRedirect(self.get_success_url())


@method_decorator(FORM_DECORATORS, name="dispatch")
class TwoFactorSetupView(RedirectURLMixin, TemplateView):
    """Shows the secret of a new device. The first correct code completes the setup and signs the user in."""

    template_name = "accounts/two_factor_setup.html"
    next_page = "admin:index"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Accessible only between the password and the first code.
        self.enrollment = sessions.get_enrollment(request)
        if self.enrollment is None:
            return redirect("admin:login")
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, secret, replaces = cast(sessions.Enrollment, self.enrollment)
        form = CodeForm(request.POST)
        step = match_time_step(secret, "".join(form.cleaned_data["code"].split())) if form.is_valid() else None
        if step is None:
            form.add_error("code", _("Wrong code. Enter the code that the app shows now."))
            return self.render_to_response(self.get_context_data(form=form))
        try:
            factor, codes = TOTPDevice.objects.enroll(user, secret=secret, step=step, replaces=replaces)
        except AlreadyEnrolledError:
            return redirect("admin:login")
        sessions.start_session(request, user, factor)
        emit("staff.signed_in", user.pk)
        return recovery_codes_page(request, codes, self.get_success_url(), **self.extra_context or {})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, secret, _replaces = cast(sessions.Enrollment, self.enrollment)
        uri = f"otpauth://totp/BookBridge:{user.username}?{urlencode({'secret': secret, 'issuer': 'BookBridge'})}"
        grouped = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
        context = {"form": CodeForm(), "secret": grouped, "qr_code": qr_code(uri)}
        return super().get_context_data(**{**context, **kwargs})


def recovery_codes_page(request: HttpRequest, codes: list[str], next_url: str, **context: Any) -> HttpResponse:
    """Render the recovery codes, which cannot be shown again, with a link to `next_url`."""
    full_context = {**context, "codes": codes, "next_url": next_url, "title": _("Recovery codes")}
    return render(request, "accounts/recovery_codes.html", full_context)


@method_decorator(FORM_DECORATORS, name="dispatch")
class TwoFactorSettingsView(TemplateView):
    """Manages one's own device: generate recovery codes or replace the app. Both require a code."""

    template_name = "accounts/two_factor_settings.html"

    def post(self, request: HttpRequest) -> HttpResponse:
        user = current_user(request)
        factor, form = TOTPDevice.objects.for_user(user), CodeForm(request.POST)
        if factor is None:
            return redirect("admin:two_factor_settings")
        if not form.is_valid() or not factor.verify_token(form.cleaned_data["code"]):
            emit("staff.code_refused", user.pk)
            form.add_error("code", _("This code is wrong or has already been used."))
            return self.render_to_response(self.get_context_data(form=form))
        if "replace" in request.POST:
            sessions.start_enrollment(request, user, replaces=factor)
            return redirect("admin:two_factor_setup")
        codes = factor.regenerate_recovery_codes()
        emit("factor.codes_renewed", user.pk)
        messages.success(request, _("Your old recovery codes no longer work."))
        return recovery_codes_page(request, codes, reverse("admin:index"), **self.extra_context or {})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        factor = TOTPDevice.objects.for_user(current_user(self.request))
        codes_left = factor.recovery_codes.count() if factor else 0
        context = {"form": CodeForm(), "factor": factor, "recovery_codes_left": codes_left}
        return super().get_context_data(**{**context, "title": _("Two-factor authentication"), **kwargs})
