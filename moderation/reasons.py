"""Choices of moderation: report reasons, actions, decision reasons, and which reasons fit which action."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Reason(models.TextChoices):
    """Reason of a report."""

    SPAM = "spam", _("spam")
    ABUSE = "abuse", _("abuse")
    SPOILER = "spoiler", _("spoiler")
    COPYRIGHT = "copyright", _("copyright")
    OTHER = "other", pgettext_lazy("reason", "other")


# Severity of each reason; the queue starts with the most severe cases.
HARM = {Reason.ABUSE: 50, Reason.COPYRIGHT: 30, Reason.SPAM: 20, Reason.SPOILER: 20, Reason.OTHER: 10}
# Appeals rank between abuse and all other reasons.
HARM_OF_APPEAL = 40


class Action(models.TextChoices):
    """Action of a decision; all but the first are taken by staff."""

    CONCEAL = "conceal", _("hidden pending review")
    HIDE = "hide", _("hidden")
    RESTORE = "restore", _("restored")
    DISMISS = "dismiss", _("dismissed")
    WARN = "warn", _("warned")
    SUSPEND = "suspend", _("suspended")
    UNDO = "undo", _("undone")


# Actions against the author, who may appeal them.
ADVERSE = (Action.CONCEAL, Action.HIDE, Action.WARN, Action.SUSPEND)


class Ground(models.TextChoices):
    """Reason of a decision: which rule was violated, or why none was."""

    SPAM = "spam", _("It is spam.")
    ABUSE = "abuse", _("It attacks or harasses people.")
    SPOILER = "spoiler", _("It contains unmarked spoilers.")
    COPYRIGHT = "copyright", _("It infringes copyright.")
    OTHER = "other", _("It does not belong here.")
    NO_VIOLATION = "no_violation", _("It follows the rules.")
    HANDLED = "handled", _("It has been corrected.")
    MISTAKE = "mistake", _("The decision was a mistake.")


AGAINST = (Ground.ABUSE, Ground.SPAM, Ground.SPOILER, Ground.COPYRIGHT, Ground.OTHER)
IN_FAVOUR = (Ground.NO_VIOLATION, Ground.HANDLED, Ground.MISTAKE)
GROUNDS: dict[str, tuple[Ground, ...]] = {
    Action.HIDE: AGAINST,
    Action.WARN: AGAINST,
    Action.SUSPEND: AGAINST,
    Action.RESTORE: IN_FAVOUR,
    # A dismissed appeal keeps the reason of the decision.
    Action.DISMISS: (*IN_FAVOUR, *AGAINST),
    Action.UNDO: (*IN_FAVOUR, *AGAINST),
}
WORDS_LENGTH = 300
