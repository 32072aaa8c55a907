"""The secret of a reader's own calendar address."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.fields import KeyField
from bookbridge.api.rows import hold
from bookbridge.api.text import digest_of
from bookbridge.api.transactions import retrying_atomic


class CalendarToken(models.Model):
    """What opens a reader's calendar and nothing else, until it is ended. Only its SHA-256 is kept."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_token")
    digest = KeyField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("calendar token")
        verbose_name_plural = _("calendar tokens")

    def __str__(self) -> str:
        return f"{self.user_id}"

    @classmethod
    @retrying_atomic
    def issue(cls, user: User) -> str:
        """A new token (256 random bits), which is told this once; an older one is over."""
        # One at a time for each reader: two that both find no row to replace would deadlock in InnoDB.
        hold(User, [user.pk])
        token = secrets.token_urlsafe(32)
        cls.objects.update_or_create(user=user, defaults={"digest": digest_of(token), "created_at": timezone.now()})
        return token

    @classmethod
    @retrying_atomic
    def end(cls, user: User) -> None:
        """Let the token open nothing any more."""
        cls.objects.filter(user=user).delete()

    @classmethod
    def reader(cls, token: str) -> User | None:
        """Whose calendar a token opens; None for one that is no good, and where its reader may not sign in."""
        found = cls.objects.select_related("user").filter(digest=digest_of(token)).first()
        return found.user if found is not None and found.user.may_sign_in else None
