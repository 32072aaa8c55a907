"""The table of the audit log. Rows are never updated, apart from anonymization; `prune_audit_log` deletes old ones."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import BinaryCollationCharField

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

TITLE_LENGTH, REASON_LENGTH, DETAIL_LENGTH, AGENT_LENGTH = 200, 1000, 500, 200
# The `target_type` of accounts.
USER_MODEL_LABEL = "accounts.user"


class Outcome(models.TextChoices):
    """Whether the action was done or denied."""

    DONE = "done", _("done")
    REFUSED = "refused", _("denied")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Queries for audit entries."""

    def older_than(self, age: datetime.timedelta) -> AuditEntryQuerySet:
        """Return the entries that are older than `age`."""
        return self.filter(created_at__lt=timezone.now() - age)

    def anonymize(self, user: AbstractBaseUser) -> None:
        """Anonymize a deleted account: remove its name, and its IP address and client unless it acted as staff."""
        entries = self.filter(target_type=USER_MODEL_LABEL, target_id=user.pk)
        entries.filter(by_staff=False).update(target_title="", ip_address="", user_agent="")
        entries.filter(by_staff=True).update(target_title="", changes={})


class AuditEntry(models.Model):
    """An action that was done or denied.

    Ids are not foreign keys, so that entries outlive their objects and writing one locks no other row.
    """

    created_at = models.DateTimeField(_("time"), default=timezone.now)
    verb = BinaryCollationCharField(_("event"), max_length=60)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.DONE)
    actor = models.BigIntegerField(_("actor"), null=True, help_text=_("Id of the account; null for commands."))
    actor_name = models.CharField(max_length=30, blank=True, help_text=_("Username at the time of the action."))
    by_staff = models.BooleanField(default=False)
    target_type = BinaryCollationCharField(max_length=60, blank=True, verbose_name=_("target type"))
    target_id = models.BigIntegerField(null=True, verbose_name=_("target id"))
    target_title = models.CharField(_("target"), max_length=TITLE_LENGTH, blank=True)
    changes = models.JSONField(_("changes"), default=dict, help_text=_("Old and new value of each changed field."))
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True)
    detail = models.CharField(_("detail"), max_length=DETAIL_LENGTH, blank=True)
    ip_address = BinaryCollationCharField(_("IP address"), max_length=64, blank=True)
    user_agent = models.CharField(_("client"), max_length=AGENT_LENGTH, blank=True)
    request_id = BinaryCollationCharField(
        _("request ID"),
        max_length=128,
        blank=True,
        help_text=_("Request id, as in the access log."),
    )

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["created_at"], name="audit_at"),
            models.Index(fields=["verb", "created_at"], name="audit_verb"),
            models.Index(fields=["outcome", "created_at"], name="audit_outcome"),
            # A verb and an outcome may each have millions of entries, but none in common.
            models.Index(fields=["verb", "outcome", "created_at"], name="audit_verb_outcome"),
            models.Index(fields=["actor", "created_at"], name="audit_actor"),
            models.Index(fields=["target_type", "target_id", "created_at"], name="audit_target"),
            models.Index(fields=["ip_address", "created_at"], name="audit_address"),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.verb}"
