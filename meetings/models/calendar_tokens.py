"""Tokens for the URL of a user's private calendar."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.search.normalize import sha256_hex


class CalendarToken(models.Model):
    """A token that gives read access to one user's calendar. Only its SHA-256 digest is stored."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_token", verbose_name=_("user")
    )
    digest = BinaryCollationCharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    class Meta:
        verbose_name = _("calendar token")
        verbose_name_plural = _("calendar tokens")

    def __str__(self) -> str:
        return f"{self.user_id}"

    @classmethod
    @atomic_with_retry
    def issue(cls, user: User) -> str:
        """Create and return a token of 256 random bits, in place of an older one."""
        # Lock the user: two requests that both find no token to replace would deadlock in InnoDB.
        lock_rows(User, [user.pk])
        token = secrets.token_urlsafe(32)
        cls.objects.update_or_create(user=user, defaults={"digest": sha256_hex(token), "created_at": timezone.now()})
        return token

    @classmethod
    @atomic_with_retry
    def revoke(cls, user: User) -> None:
        """Revoke the user's token."""
        cls.objects.filter(user=user).delete()

    @classmethod
    def get_user(cls, token: str) -> User | None:
        """Return the user of a token, or None if the token is invalid or the user may not sign in."""
        row = cls.objects.select_related("user").filter(digest=sha256_hex(token)).first()
        return row.user if row is not None and row.user.can_sign_in else None
