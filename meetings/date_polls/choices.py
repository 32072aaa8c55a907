"""Choices of date polls."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class DatePollStatus(models.TextChoices):
    """Status of a date poll."""

    OPEN = "open", _("open for answers")
    CLOSED = "closed", pgettext_lazy("date poll", "closed")


class DatePollOutcome(models.TextChoices):
    """Outcome of a closed date poll."""

    CHOSEN = "chosen", _("date chosen")
    NO_ANSWERS = "no_answers", _("no answers")
