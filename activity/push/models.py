"""Devices that get push notifications."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import AuthSession, User
from core.api.exceptions import Conflict
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.search.normalize import sha256_hex

MAX_DEVICES = 20
MAX_TOKEN_LENGTH = 2000


class DeviceKind(models.TextChoices):
    """The push service of a device."""

    WEBPUSH = "webpush", _("Web Push")
    FCM = "fcm", _("Firebase Cloud Messaging")
    APNS = "apns", _("Apple Push Notification service")


class DeviceQuerySet(models.QuerySet["Device"]):
    """Queries for devices."""

    def active(self) -> DeviceQuerySet:
        """Return the devices whose session is active: the end of a session ends its devices."""
        return self.filter(session__ended_at=None, session__expires_at__gt=timezone.now())

    def visible_to(self, user: User) -> DeviceQuerySet:
        """Return the devices of `user`."""
        return self.active().filter(session__user=user.pk)

    def ended(self) -> DeviceQuerySet:
        """Return the devices whose session has ended, to be deleted."""
        return self.exclude(session__ended_at=None, session__expires_at__gt=timezone.now())


class Device(models.Model):
    """A device, registered by an app in a session. There is one row for each token of a push service."""

    session = models.ForeignKey(
        AuthSession, models.CASCADE, related_name="+", editable=False, verbose_name=_("sign-in")
    )
    kind = BinaryCollationCharField(max_length=10, choices=DeviceKind.choices)
    token = models.TextField(
        max_length=MAX_TOKEN_LENGTH, help_text=_("The token of the push service, or its endpoint.")
    )
    token_digest = BinaryCollationCharField(
        max_length=64, unique=True, editable=False, help_text=_("SHA-256 of the token, which is too long for an index.")
    )
    # The keys of a Web Push subscription, in base64url.
    p256dh = BinaryCollationCharField(max_length=100, blank=True, editable=False)
    auth = BinaryCollationCharField(max_length=50, blank=True, editable=False)
    name = models.CharField(max_length=100, blank=True, verbose_name=_("name"))
    app_version = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def register(cls, session: AuthSession, *, token: str, **fields: Any) -> tuple[Device, bool]:
        """Register a device in a session, and return it and whether it is new to the user.

        A token that is already registered is updated, and moves to this user and session. Raises Conflict
        `too_many_devices`, and NotAuthenticated if the account has been deleted in the meantime.
        """
        if not lock_rows(User, [session.user_id]):
            raise NotAuthenticated
        values = {"p256dh": "", "auth": "", "name": "", "app_version": "", **fields, "session": session}
        device, created = cls.objects.select_for_update().get_or_create(
            token_digest=sha256_hex(token), defaults={**values, "token": token}
        )
        known = list(cls.objects.visible_to(session.user).order_by("pk").values_list("pk", flat=True))
        is_new = created or device.pk not in known
        others = [pk for pk in known if pk != device.pk]
        if is_new and len(others) >= MAX_DEVICES:
            text = _("You already have %(count)d devices. Please remove one first.") % {"count": MAX_DEVICES}
            raise Conflict("too_many_devices", text, devices=others)
        if not created:
            device._update(values | ({"created_at": timezone.now()} if is_new else {}))
        return device, is_new

    def _update(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=list(values))
