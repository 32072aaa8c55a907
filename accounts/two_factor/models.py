"""TOTP devices (RFC 6238) and recovery codes of staff accounts."""

from __future__ import annotations

import base64
import datetime
import secrets
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.oath import TOTP

from accounts.events import emit
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.encryption import decrypt, encrypt, has_former_key
from core.search.normalize import sha256_hex

if TYPE_CHECKING:
    from accounts.models import User

ENCRYPTION_PURPOSE = "second factor"
# Accepted clock difference of the device, in steps of 30 seconds.
TOTP_TOLERANCE_STEPS = 1
RECOVERY_CODES = 10
# Wrong codes before throttling starts; each further one doubles the wait up to the maximum.
THROTTLE_AFTER_FAILURES, MAX_THROTTLE = 5, datetime.timedelta(minutes=15)


def new_secret() -> str:
    """Return 160 random bits in Base32 (RFC 4226, 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def match_time_step(secret: str, code: str, *, after: int = -1) -> int | None:
    """Return the current time step that the code belongs to, if later than `after`; None for a wrong code."""
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    totp = TOTP(base64.b32decode(secret))
    totp.time = time.time()
    return totp.t() if totp.verify(int(code), tolerance=TOTP_TOLERANCE_STEPS, min_t=after + 1) else None


class AlreadyEnrolledError(Exception):
    """The account already has a TOTP device."""


class TOTPDeviceManager(models.Manager["TOTPDevice"]):
    """Creates and resets TOTP devices."""

    def for_user(self, user: User) -> TOTPDevice | None:
        """Return the TOTP device of the user, or None."""
        return getattr(user, "second_factor", None)

    @atomic_with_retry
    def reset(self, user: User, *, by: int | None) -> bool:
        """Delete the user's TOTP device and return whether there was one. `by` is None for the command."""
        deleted, _rows = self.filter(user=user).delete()
        if deleted:
            emit("factor.reset", user.pk, actor=by, detail="" if by else "manage.py reset_two_factor")
        return deleted > 0

    @atomic_with_retry
    def enroll(
        self, user: User, *, secret: str, step: int, replaces: int | None = None
    ) -> tuple[TOTPDevice, list[str]]:
        """Create a TOTP device; returns it with its recovery codes, which cannot be read again.

        `step` is the time step of the code that the user has entered, `replaces` the id of the device to replace.
        Raises AlreadyEnrolledError, also for the slower of two concurrent calls.
        """
        # Lock the user: in InnoDB two concurrent inserts with one unique key would deadlock.
        lock_rows(type(user), [user.pk])
        if replaces is not None and self.filter(user=user, pk=replaces).delete()[0]:
            emit("factor.removed", user.pk)
        device = self.model(user=user, secret=encrypt(secret, purpose=ENCRYPTION_PURPOSE), last_step=step)
        try:
            with transaction.atomic():
                device.save(force_insert=True)
        except IntegrityError:
            raise AlreadyEnrolledError from None
        emit("factor.enrolled", user.pk)
        return device, device.regenerate_recovery_codes()


class TOTPDevice(models.Model):
    """The authenticator app of a staff account."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor", verbose_name=_("user")
    )
    secret = models.CharField(max_length=255, help_text=_("Encrypted."))
    last_step = models.BigIntegerField(help_text=_("Time step of the last accepted code; codes cannot be reused."))
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    failures = models.PositiveIntegerField(default=0, help_text=_("Wrong codes since the last correct one."))
    failed_at = models.DateTimeField(null=True)

    objects = TOTPDeviceManager()

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"

    @atomic_with_retry
    def verify_token(self, code: str) -> bool:
        """Return whether the TOTP or recovery code is correct, and consume it.

        After several wrong codes TOTP codes are rejected for a while. Recovery codes are not throttled, because they
        cannot be guessed.
        """
        locked = TOTPDevice.objects.select_for_update().filter(pk=self.pk).first()
        if locked is None:
            return False
        code = "".join(code.split())
        if locked._use_recovery_code(code):
            return True
        secret = decrypt(locked.secret, purpose=ENCRYPTION_PURPOSE)
        if secret is None or locked.is_throttled:
            return False
        step = match_time_step(secret, code, after=locked.last_step)
        if step is None:
            locked.failures, locked.failed_at = locked.failures + 1, timezone.now()
        else:
            locked.failures, locked.failed_at, locked.last_step = 0, None, step
            if has_former_key(locked.secret, purpose=ENCRYPTION_PURPOSE):
                locked.secret = encrypt(secret, purpose=ENCRYPTION_PURPOSE)
        locked.save(update_fields=["failures", "failed_at", "last_step", "secret"])
        return step is not None

    @property
    def is_throttled(self) -> bool:
        """Whether TOTP codes are rejected after too many wrong ones."""
        excess = self.failures - THROTTLE_AFTER_FAILURES
        if excess < 0 or self.failed_at is None:
            return False
        return timezone.now() < self.failed_at + min(datetime.timedelta(seconds=2 ** min(excess, 20)), MAX_THROTTLE)

    @atomic_with_retry
    def regenerate_recovery_codes(self) -> list[str]:
        """Replace the recovery codes and return the new ones; only their digests are stored."""
        lock_rows(TOTPDevice, [self.pk])
        self.recovery_codes.all().delete()
        codes = [_recovery_code() for _n in range(RECOVERY_CODES)]
        RecoveryCode.objects.bulk_create([RecoveryCode(device=self, digest=_digest(code)) for code in codes])
        return codes

    def _use_recovery_code(self, code: str) -> bool:
        used, _rows = self.recovery_codes.filter(digest=_digest(code)).delete()
        return used > 0


class RecoveryCode(models.Model):
    """A single-use code for when the app is lost. Only its SHA-256 is stored; 80 random bits cannot be brute-forced."""

    device = models.ForeignKey(TOTPDevice, models.CASCADE, related_name="recovery_codes")
    digest = BinaryCollationCharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "digest"], name="recoverycode_once")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


def _recovery_code() -> str:
    """Return 16 random characters in groups of four."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[n : n + 4] for n in range(0, 16, 4))


def _digest(code: str) -> str:
    return sha256_hex(code.replace("-", "").lower())
