"""The columns of a pause: a member does not take part for a while, and stays a member."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.api.exceptions import InvalidFieldError

NOT_PAUSED: dict[str, Any] = {"paused_since": None, "paused_until": None, "paused_by_moderator": False}


class PauseColumns(models.Model):
    """A pause that ends by itself: after the day `paused_until` in the club's time zone, unless that is null."""

    paused_since = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("paused since"))
    paused_until = models.DateField(null=True, blank=True, editable=False, verbose_name=_("paused until"))
    # Such a pause also ends with the member's next activity.
    paused_by_moderator = models.BooleanField(
        default=False, db_default=False, editable=False, verbose_name=_("paused by a moderator")
    )

    class Meta:
        abstract = True

    def is_paused_on(self, day: datetime.date) -> bool:
        """Return whether the membership is paused on this day of the club."""
        return self.paused_since is not None and (self.paused_until is None or self.paused_until >= day)


def paused_on(day: datetime.date) -> Q:
    """Return the condition for memberships that are paused on this day of the club."""
    return Q(paused_since__isnull=False) & (Q(paused_until__isnull=True) | Q(paused_until__gte=day))


def check_pause_end(until: datetime.date, *, today: datetime.date) -> None:
    """Raise InvalidFieldError for a day that is over or more than a year ahead."""
    if until < today:
        raise InvalidFieldError("until", "past", _("This day is over."))
    if until > _a_year_after(today):
        raise InvalidFieldError("until", "too_far", _("A pause may last a year at most."))


def _a_year_after(day: datetime.date) -> datetime.date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)
