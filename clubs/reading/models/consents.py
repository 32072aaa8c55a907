"""Consents of members to see all posts about a book, regardless of their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.reading.models.entries import Entry


class SpoilerConsent(models.Model):
    """A member's consent to see all posts about the book of an entry, which ends when the row is deleted."""

    entry = models.ForeignKey("clubs.Entry", models.CASCADE, related_name="spoiler_consents", verbose_name=_("entry"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="spoiler_consents", verbose_name=_("user")
    )
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))

    class Meta:
        verbose_name = _("spoiler consent")
        verbose_name_plural = _("spoiler consents")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["entry", "user"], name="clubs_spoilerconsent_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    def set_consent(cls, *, entry: Entry, by: User, given: bool) -> bool:
        """Give or withdraw the consent, and return whether that changed it. The membership must be locked."""
        if given:
            return cls.objects.get_or_create(entry=entry, user=by)[1]
        return cls.objects.filter(entry=entry, user=by).delete()[0] > 0
