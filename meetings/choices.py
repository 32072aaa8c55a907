"""Choices of meetings and RSVPs."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MeetingStatus(models.TextChoices):
    """Status of a meeting."""

    SCHEDULED = "scheduled", _("scheduled")
    CANCELLED = "cancelled", _("cancelled")


class SeriesScope(models.TextChoices):
    """Meetings of a series that a change applies to."""

    THIS = "this", _("this meeting")
    FOLLOWING = "following", _("this and all following meetings of the series")


class RsvpStatus(models.TextChoices):
    """Answers in an RSVP. `waitlisted` is a yes to a meeting that is full."""

    YES = "yes", _("yes")
    MAYBE = "maybe", _("maybe")
    NO = "no", _("no")
    WAITLISTED = "waitlisted", _("waitlisted")


# The answers that a client may send.
CLIENT_CHOICES = [choice for choice in RsvpStatus.choices if choice[0] != RsvpStatus.WAITLISTED]
