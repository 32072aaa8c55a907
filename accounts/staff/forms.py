"""What staff fill in to come in."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.happenings import happened
from accounts.models import User
from accounts.refusals import refused
from accounts.staff.models import SecondFactor


def code_field(**kwargs: Any) -> forms.CharField:
    """A field for a code of the app or a recovery code; browsers are not to keep it."""
    attributes = {"autocomplete": "one-time-code", "inputmode": "text", "spellcheck": "false", "autocapitalize": "off"}
    return forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget(attributes), **kwargs)


class SignInForm(AuthenticationForm):
    """Name, password and code at once: what is wrong is not told apart."""

    code = code_field(
        label=_("Code"), required=False, help_text=_("From your app, or a recovery code; nothing at the first sign-in.")
    )
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "Name, password or code is wrong, or this is no account of the staff. "
            "A code serves once, and after many tries none does for some minutes."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.factor: SecondFactor | None = None
        if not settings.ADMIN_SECOND_FACTOR:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """The password first, then the code."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            name = self.cleaned_data.get("username", "")
            refused("staff.refused", name, user=User.objects.named(name).values_list("pk", flat=True).first())
            raise
        user = cast(User, self.get_user())
        self.factor = SecondFactor.objects.of(user) if settings.ADMIN_SECOND_FACTOR else None
        if self.factor and not self.factor.accept(cleaned.get("code", "")):
            happened("staff.code_refused", user.pk)
            raise self.get_invalid_login_error()
        return cleaned


class CodeForm(forms.Form):
    """One code."""

    code = code_field(label=_("Code"))
