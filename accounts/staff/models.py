"""What staff show beside their password: codes of an app (RFC 6238), and recovery codes for when that is lost."""

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

from accounts.happenings import happened
from bookbridge.api.fields import KeyField
from bookbridge.api.rows import hold
from bookbridge.api.sealed import seal, unseal
from bookbridge.api.text import digest_of
from bookbridge.api.transactions import retrying_atomic

if TYPE_CHECKING:
    from accounts.models import User

PURPOSE = "second factor"
# A telephone's clock may differ by this many steps of 30 seconds.
TOLERANCE = 1
RECOVERY_CODES = 10
# So many wrong codes are free; each further one doubles the wait, up to the longest.
FREE_FAILURES, LONGEST_WAIT = 5, datetime.timedelta(minutes=15)


def new_secret() -> str:
    """160 random bits as apps want them typed (RFC 4226, 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_of(secret: str, code: str, *, after: int = -1) -> int | None:
    """The time step whose code this is, around now and later than `after`; None for a wrong code."""
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    totp = TOTP(base64.b32decode(secret))
    totp.time = time.time()
    return totp.t() if totp.verify(int(code), tolerance=TOLERANCE, min_t=after + 1) else None


class AlreadyEnrolledError(Exception):
    """The account has a second factor."""


class SecondFactorManager(models.Manager["SecondFactor"]):
    """Makes second factors."""

    def of(self, user: User) -> SecondFactor | None:
        """The one of an account."""
        return getattr(user, "second_factor", None)

    @retrying_atomic
    def reset(self, user: User, *, by: int | None) -> bool:
        """Untie the app of somebody who has lost it; whether there was one. `by` is None for the command."""
        gone, _rows = self.filter(user=user).delete()
        if gone:
            happened("factor.reset", user.pk, actor=by, detail="" if by else "manage.py reset_second_factor")
        return gone > 0

    @retrying_atomic
    def enrol(
        self, user: User, *, secret: str, step: int, replaces: int | None = None
    ) -> tuple[SecondFactor, list[str]]:
        """Tie an app's secret to an account; with its recovery codes, which nobody can read again.

        `step` is the one whose code has just been shown, `replaces` the factor that goes for this one. Raises
        AlreadyEnrolledError, also for the slower of two.
        """
        # One at a time for each account: two inserts under one unique key would deadlock in InnoDB.
        hold(type(user), [user.pk])
        if replaces is not None and self.filter(user=user, pk=replaces).delete()[0]:
            happened("factor.removed", user.pk)
        factor = self.model(user=user, secret=seal(secret, purpose=PURPOSE), last_step=step)
        try:
            with transaction.atomic():
                factor.save(force_insert=True)
        except IntegrityError:
            raise AlreadyEnrolledError from None
        happened("factor.enrolled", user.pk)
        return factor, factor.renew_recovery_codes()


class SecondFactor(models.Model):
    """An app that shows codes, tied to one account of the staff."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=255, help_text=_("Encrypted."))
    last_step = models.BigIntegerField(help_text=_("The time step of the last code that served; none serves twice."))
    created_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0, help_text=_("Wrong codes since the last right one."))
    failed_at = models.DateTimeField(null=True)

    objects = SecondFactorManager()

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"

    @retrying_atomic
    def accept(self, code: str) -> bool:
        """Whether the code is right, and used up by this: of the app, or a recovery code.

        After several wrong ones the app's codes are not looked at for a while; recovery codes cannot be guessed.
        """
        locked = SecondFactor.objects.select_for_update().filter(pk=self.pk).first()
        if locked is None:
            return False
        code = "".join(code.split())
        if locked._use_recovery_code(code):
            return True
        secret = unseal(locked.secret, purpose=PURPOSE)
        if secret is None or locked.is_waiting:
            return False
        step = step_of(secret, code, after=locked.last_step)
        if step is None:
            locked.failures, locked.failed_at = locked.failures + 1, timezone.now()
        else:
            locked.failures, locked.failed_at, locked.last_step = 0, None, step
        locked.save(update_fields=["failures", "failed_at", "last_step"])
        return step is not None

    @property
    def is_waiting(self) -> bool:
        """Whether too many wrong codes were tried just now."""
        over = self.failures - FREE_FAILURES
        if over < 0 or self.failed_at is None:
            return False
        return timezone.now() < self.failed_at + min(datetime.timedelta(seconds=2 ** min(over, 20)), LONGEST_WAIT)

    @retrying_atomic
    def renew_recovery_codes(self) -> list[str]:
        """New recovery codes in place of the old ones; only their digests are kept."""
        hold(SecondFactor, [self.pk])
        self.recovery_codes.all().delete()
        codes = [_recovery_code() for _n in range(RECOVERY_CODES)]
        RecoveryCode.objects.bulk_create([RecoveryCode(factor=self, digest=_digest(code)) for code in codes])
        return codes

    def _use_recovery_code(self, code: str) -> bool:
        used, _rows = self.recovery_codes.filter(digest=_digest(code)).delete()
        return used > 0


class RecoveryCode(models.Model):
    """A code that stands once for the app. Only its SHA-256 is kept: it has 80 random bits, so none can be found."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    digest = KeyField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["factor", "digest"], name="recoverycode_once")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


def _recovery_code() -> str:
    """Sixteen characters in groups of four."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[n : n + 4] for n in range(0, 16, 4))


def _digest(code: str) -> str:
    return digest_of(code.replace("-", "").lower())
