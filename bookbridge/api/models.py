"""The toolkit's tables."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from bookbridge.api.audit.models import AuditEntry  # noqa: F401  (Django looks for tables here)
from bookbridge.api.fields import KeyField
from bookbridge.api.tasks.models import PeriodicTask, QueuedTask  # noqa: F401

KEPT_FOR = datetime.timedelta(hours=24)


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    """Rules about many kept answers."""

    def expired(self) -> KeptAnswerQuerySet:
        """Those nobody may ask for again."""
        return self.filter(created_at__lt=timezone.now() - KEPT_FOR)


class KeptAnswer(models.Model):
    """The answer to a call that carried an Idempotency-Key, kept so that a retry gets it again (api.md 0)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = KeyField(max_length=64, unique=True, help_text="SHA-256 over the caller, the route and the client's key.")
    body = KeyField(max_length=64, help_text="SHA-256 of the request's body.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="Null while the first call is still running.")
    answer = models.TextField(default="", help_text="The answer's JSON, encrypted: some hand over a secret once.")

    objects = KeptAnswerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} ({self.status})"


class Total(models.Model):
    """A part of a sum that writes move (`bookbridge.api.counters`), or the whole of one that few move."""

    key = KeyField(max_length=64, primary_key=True, help_text="A name and, after #, the number of the part.")
    # Signed: what one part counted on, another may count off.
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
