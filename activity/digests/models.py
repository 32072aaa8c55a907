"""E-mail digests: notifications that are collected into at most one e-mail per day, club and topic."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from activity.choices import DIGEST_KINDS, NotificationKind
from activity.models import Notification
from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry

# At least this much time between two digests about the same topic of a club.
MIN_INTERVAL = datetime.timedelta(days=1)
# Notifications about something sooner than this are sent at once, so that users have at least a day to act.
URGENT_WITHIN = datetime.timedelta(days=2)
# A digest that could not be sent, or whose worker was killed, is due again after this time.
RETRY_AFTER = datetime.timedelta(minutes=10)


class Topic(models.TextChoices):
    """What a digest is about."""

    JOIN_REQUESTS = "requests", _("join requests")
    NEWS = "news", pgettext_lazy("digest", "news")

    @classmethod
    def for_notification(cls, notification: Notification) -> Topic | None:
        """Return the topic of the digest for a notification, or None if it is sent at once in its own e-mail."""
        if notification.club_id is None:
            return None
        if notification.kind == NotificationKind.JOIN_REQUEST:
            return cls.JOIN_REQUESTS
        moment = notification.moment
        is_urgent = moment is not None and moment < timezone.now() + URGENT_WITHIN
        return cls.NEWS if notification.kind in DIGEST_KINDS and not is_urgent else None


class EmailDigestQuerySet(models.QuerySet["EmailDigest"]):
    """Queries for digests."""

    def due(self) -> EmailDigestQuerySet:
        """Return the digests to send, the longest waiting first."""
        return self.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")

    @atomic_with_retry
    def add(self, notification: Notification, topic: Topic) -> EmailDigest:
        """Add a notification to the digest of its user, club and topic, and return the digest."""
        digest, _created = self.select_for_update().get_or_create(
            user_id=notification.user_id, club_id=notification.club_id or 0, topic=topic
        )
        Notification.objects.filter(pk=notification.pk).update(email_batch=digest.batch)
        if digest.due_at is None:
            digest.due_at = digest.sent_at + MIN_INTERVAL if digest.sent_at else timezone.now()
            digest.save(update_fields=["due_at"])
        return digest


class EmailDigest(models.Model):
    """The digests for a user about a topic of a club: when the last one was sent, and when the next one is due.

    Notifications in the digest have its `batch` as `email_batch`. As in Notification, foreign keys have no database
    constraints.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+", db_constraint=False)
    topic = BinaryCollationCharField(max_length=10, choices=Topic.choices)
    sent_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    objects = EmailDigestQuerySet.as_manager()

    class Meta:
        verbose_name = _("e-mail digest")
        verbose_name_plural = _("e-mail digests")
        constraints = [models.UniqueConstraint(fields=["user", "club", "topic"], name="activity_digest_once")]
        indexes = [models.Index(fields=["due_at", "id"], name="activity_digest_due")]

    def __str__(self) -> str:
        return f"{self.topic} of {self.club_id} for {self.user_id}"

    @property
    def batch(self) -> str:
        """The `email_batch` of the notifications that wait."""
        return f"digest-{self.pk}"

    @atomic_with_retry
    def claim(self) -> bool:
        """Make the digest due again only after RETRY_AFTER; return False if another worker has claimed it first."""
        now = timezone.now()
        return bool(EmailDigest.objects.filter(pk=self.pk, due_at__lte=now).update(due_at=now + RETRY_AFTER))

    @atomic_with_retry
    def finish(self, notification_ids: Collection[int], *, is_sent: bool) -> None:
        """Remove these notifications, sent or dropped, from the digest. Notifications added in the meantime stay."""
        digest = EmailDigest.objects.select_for_update().filter(pk=self.pk).first()
        if digest is None:
            return
        waiting = Notification.objects.filter(email_batch=self.batch)
        waiting.filter(pk__in=notification_ids).update(email_batch=None)
        now = timezone.now()
        if is_sent:
            digest.sent_at = now
        if waiting.exists():
            digest.due_at = now + MIN_INTERVAL if is_sent else now
        else:
            digest.due_at = None
        digest.save(update_fields=["sent_at", "due_at"])
