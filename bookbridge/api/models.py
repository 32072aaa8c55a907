"""Models of the shared code."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from bookbridge.api.audit.models import AuditEntry  # noqa: F401  (Django looks for models here)
from bookbridge.api.fields import KeyField
from bookbridge.api.tasks.models import PeriodicTask, QueuedTask  # noqa: F401

KEPT_FOR = datetime.timedelta(hours=24)


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    """Expiry of idempotency records."""

    def expired(self) -> KeptAnswerQuerySet:
        """Return the records that are no longer replayed."""
        return self.filter(created_at__lt=timezone.now() - KEPT_FOR)


class KeptAnswer(models.Model):
    """The stored response of a request with an Idempotency-Key, which a retry gets again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = KeyField(max_length=64, unique=True, help_text="SHA-256 of the user, the route and the client's key.")
    body = KeyField(max_length=64, help_text="SHA-256 of the request's body.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="Null while the first request is running.")
    answer = models.TextField(default="", help_text="The response's JSON, encrypted since some contain a secret.")

    objects = KeptAnswerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} ({self.status})"


class Total(models.Model):
    """A shard of a counter (`bookbridge.api.counters`), or a cache version."""

    key = KeyField(max_length=64, primary_key=True, help_text="A name and, after #, the number of the shard.")
    # Signed: one shard may be decremented for what another counted.
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
