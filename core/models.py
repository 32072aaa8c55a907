"""Models of the shared code."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.audit.models import AuditEntry  # noqa: F401  (Django looks for models here)
from core.db.fields import BinaryCollationCharField
from core.tasks.models import PeriodicTask, QueuedTask  # noqa: F401

RETENTION = datetime.timedelta(hours=24)


class IdempotencyRecordQuerySet(models.QuerySet["IdempotencyRecord"]):
    """Queries for idempotency records."""

    def expired(self) -> IdempotencyRecordQuerySet:
        """Return the records that are no longer replayed."""
        return self.filter(created_at__lt=timezone.now() - RETENTION)


class IdempotencyRecord(models.Model):
    """The stored response of a request with an Idempotency-Key, which a retry gets again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    key = BinaryCollationCharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 of the user, the route and the client's key.",
        verbose_name=_("key"),
    )
    request_digest = BinaryCollationCharField(max_length=64, help_text="SHA-256 of the request's body.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True, verbose_name=_("created at"))
    status = models.PositiveSmallIntegerField(
        null=True, help_text="Null while the first request is running.", verbose_name=_("status")
    )
    response_body = models.TextField(
        default="", help_text="The response's JSON, encrypted since some contain a secret."
    )

    objects = IdempotencyRecordQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} ({self.status})"


class Counter(models.Model):
    """A number with a key: a shard of a counter (`core.counters.counters`), or a cache version."""

    key = BinaryCollationCharField(
        max_length=64,
        primary_key=True,
        help_text="A name and, after #, the number of the shard.",
        verbose_name=_("key"),
    )
    # Signed: one shard may be decremented for what another counted.
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
