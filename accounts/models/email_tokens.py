"""Tokens sent by e-mail."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.validators import EMAIL_LENGTH
from core.db.fields import BinaryCollationCharField


class EmailTokenPurpose(models.TextChoices):
    """The purpose of a token sent by e-mail."""

    VERIFY = "verify", _("verify an e-mail address")
    CHANGE = "change", _("change the e-mail address")
    RESET = "reset", _("set a new password")


class EmailToken(models.Model):
    """A token sent by e-mail. It is valid once, for a limited time, and only until a newer one replaces it.

    Only its SHA-256 is stored, so that a leaked table contains no usable token.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    purpose = models.CharField(max_length=10, choices=EmailTokenPurpose.choices)
    email = models.EmailField(max_length=EMAIL_LENGTH, verbose_name=_("email"))
    digest = BinaryCollationCharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True, verbose_name=_("expires at"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "purpose"], name="emailtoken_newest_only")]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.user_id})"

    @property
    def is_superseded(self) -> bool:
        """Whether the user has changed their e-mail address since the token was sent."""
        return self.purpose != EmailTokenPurpose.CHANGE and self.email != self.user.email
