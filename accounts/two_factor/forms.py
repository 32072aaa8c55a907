"""Sign-in forms of the admin."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.events import emit
from accounts.login_failures import record_login_failure
from accounts.models import User
from accounts.two_factor.models import TOTPDevice


def code_field(**kwargs: Any) -> forms.CharField:
    """Return a field for a TOTP or recovery code, which browsers do not autofill."""
    attributes = {"autocomplete": "one-time-code", "inputmode": "text", "spellcheck": "false", "autocapitalize": "off"}
    return forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget(attributes), **kwargs)


class TwoFactorLoginForm(AuthenticationForm):
    """Username, password and code. The error does not reveal which of them is wrong."""

    code = code_field(
        label=_("Code"),
        required=False,
        help_text=_("From your authenticator app, or a recovery code. Leave empty at the first sign-in."),
    )
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "Wrong username, password or code, or not a staff account. "
            "Each code works once; after several failures wait a few minutes."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.factor: TOTPDevice | None = None
        if not settings.ADMIN_SECOND_FACTOR:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """Validate the password first, then the code."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            name = self.cleaned_data.get("username", "")
            record_login_failure(
                "staff.refused", name, user=User.objects.by_username(name).values_list("pk", flat=True).first()
            )
            raise
        user = cast(User, self.get_user())
        self.factor = TOTPDevice.objects.for_user(user) if settings.ADMIN_SECOND_FACTOR else None
        if self.factor and not self.factor.verify_token(cleaned.get("code", "")):
            emit("staff.code_refused", user.pk)
            raise self.get_invalid_login_error()
        return cleaned


class CodeForm(forms.Form):
    """A TOTP or recovery code."""

    code = code_field(label=_("Code"))
