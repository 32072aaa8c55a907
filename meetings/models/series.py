"""Series of meetings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from meetings.recurrence import Frequency, Weekday


class MeetingSeries(models.Model):
    """Meetings that were created together. Each of them can be changed, cancelled and deleted on its own."""

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+", verbose_name=_("club"))
    every = models.CharField(max_length=10, choices=Frequency.choices)
    count = models.PositiveSmallIntegerField(help_text=_("How many meetings were planned, with the excluded days."))
    # Of a monthly series on a weekday: which one of the month, -1 for the last.
    week = models.SmallIntegerField(null=True, blank=True)
    weekday = models.CharField(max_length=9, choices=Weekday.choices, blank=True, default="", db_default="")
    excluded_days = models.JSONField(null=True, blank=True, help_text="[YYYY-MM-DD, ...] in the series' time zone.")

    class Meta:
        verbose_name = _("series of meetings")
        verbose_name_plural = _("series of meetings")

    def __str__(self) -> str:
        return f"{self.every} ({self.count})"
