"""Times of meetings."""

from __future__ import annotations

import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_timezone
from meetings.recurrence import MAX_START, MIN_START, out_of_range, to_local, to_utc

MAX_DURATION_MINUTES = 7 * 24 * 60
TIME_FIELDS = ("timezone", "starts_at", "ends_at", "local_date", "local_time", "local_fold")
# Members answer again if a meeting is moved to another day, or by at least this much.
RESCHEDULED_BY = datetime.timedelta(hours=3)
# This long before a meeting, seats that become free are no longer given away without being asked for.
PROMOTIONS_END = datetime.timedelta(hours=2)


class MeetingTimes(models.Model):
    """Start, end and time zone of a meeting.

    The local time (`local_date`, `local_time`, `local_fold`) in `timezone` is authoritative. `starts_at` is derived
    from it; `Meeting.resync_timezone` recomputes it if the rules of the time zone change.
    """

    starts_at = models.DateTimeField(verbose_name=_("starts at"))
    ends_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, validators=[validate_timezone], verbose_name=_("timezone"))
    local_date = models.DateField()
    local_time = models.TimeField()
    local_fold = models.BooleanField(
        default=False, help_text=_("Whether this is the second of two equal times, when clocks go back.")
    )
    duration_minutes = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DURATION_MINUTES)],
        verbose_name=_("duration minutes"),
    )

    class Meta:
        abstract = True

    @property
    def local_starts_at(self) -> datetime.datetime:
        """The local start."""
        return datetime.datetime.combine(self.local_date, self.local_time).replace(fold=int(self.local_fold))

    @property
    def has_started(self) -> bool:
        """Whether the meeting has started."""
        return self.starts_at <= now()

    @property
    def is_over(self) -> bool:
        """Whether the meeting has ended."""
        return self.ends_at <= now()

    @property
    def starts_soon(self) -> bool:
        """Whether the meeting starts so soon that nobody gets a seat without asking for it."""
        return self.starts_at - PROMOTIONS_END <= now()

    @property
    def is_in_sync(self) -> bool:
        """Whether `starts_at` matches the local time under the current rules of the time zone."""
        return to_utc(self.local_starts_at, self.timezone) == self.starts_at

    def is_rescheduled(self, before: dict[str, Any], local_before: datetime.datetime) -> bool:
        """Return whether the start has moved so far from the former one that members have to answer again."""
        if self.is_over or (self.local_starts_at, self.timezone) == (local_before, before["timezone"]):
            return False
        is_same_day = to_local(before["starts_at"], self.timezone).date() == self.local_date
        return not is_same_day or abs(self.starts_at - before["starts_at"]) >= RESCHEDULED_BY

    def set_local_start(self, local: datetime.datetime, zone: str) -> None:
        """Set the local start. Raises InvalidFieldError outside of the years 1900 to 2100."""
        try:
            at = to_utc(local, zone)
        except OverflowError:
            at = MAX_START
        if not MIN_START <= at < MAX_START:
            raise out_of_range("starts_at")
        self.timezone, self.starts_at = zone, at
        self.local_date, self.local_time = local.date(), local.time().replace(fold=0)
        self.local_fold = bool(local.fold)
        self.ends_at = at + datetime.timedelta(minutes=self.duration_minutes)

    def shifted_local_start(self, shift: datetime.timedelta) -> datetime.datetime:
        """Return the local start, `shift` later."""
        try:
            return self.local_starts_at + shift if shift else self.local_starts_at
        except OverflowError:
            raise out_of_range("starts_at") from None
