"""Sessions of the API."""

from __future__ import annotations

import datetime
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from core.db.fields import BinaryCollationCharField


class AuthSessionQuerySet(models.QuerySet["AuthSession"]):
    """Queries for sessions."""

    def active(self) -> AuthSessionQuerySet:
        """Return the sessions whose tokens are accepted."""
        return self.filter(ended_at=None, expires_at__gt=now())

    def revoke(self) -> int:
        """Revoke the sessions, from the next request on. Returns their number."""
        return self.filter(ended_at=None).update(ended_at=now(), grace_token_pair="")

    def expired(self) -> AuthSessionQuerySet:
        """Return the sessions that ended more than 30 days ago. Newer ones are kept to detect stolen tokens."""
        cutoff = now() - datetime.timedelta(days=30)
        return self.filter(Q(ended_at__lt=cutoff) | Q(expires_at__lt=cutoff))


class AuthSession(models.Model):
    """A signed-in device: a family of refresh tokens, of which only the newest is valid (RFC 9700, 4.14).

    `jti` is the id of the newest token. Refreshing updates the row, so the table does not grow with refreshes.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", verbose_name=_("user"))
    device = models.CharField(max_length=100, blank=True, verbose_name=_("device"))
    created_at = models.DateTimeField(default=now, verbose_name=_("created at"))
    last_used_at = models.DateTimeField(default=now, verbose_name=_("last used at"))
    expires_at = models.DateTimeField(verbose_name=_("expires at"))
    ended_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ended at"))
    jti = BinaryCollationCharField(max_length=32)
    previous_jti = BinaryCollationCharField(max_length=32, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    # The pair that `previous_jti` was exchanged for, until any of its tokens is used.
    grace_token_pair = models.TextField(
        blank=True, help_text=_("The newest token pair, encrypted, for repeated requests.")
    )

    objects = AuthSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        indexes = [models.Index(fields=["expires_at"]), models.Index(fields=["ended_at"])]

    # Whether this request was made with an access token of the newest pair, which was not used before.
    uses_new_pair = False

    def __str__(self) -> str:
        return self.device or f"#{self.pk}"

    @property
    def is_active(self) -> bool:
        """Whether tokens of this session are accepted."""
        return self.ended_at is None and self.expires_at > now()

    def mark_pair_as_used(self) -> None:
        """Stop accepting the refresh token that the newest pair was exchanged for."""
        AuthSession.objects.filter(pk=self.pk, jti=self.jti).update(grace_token_pair="")


def new_jti() -> str:
    """Return a token id with 122 random bits."""
    return uuid.uuid4().hex
