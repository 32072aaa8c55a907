"""Why readers report and why staff decide: the codes, their words, and what goes with what."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Reason(models.TextChoices):
    """Why somebody reports something."""

    SPAM = "spam", _("spam")
    ABUSE = "abuse", _("abuse")
    SPOILER = "spoiler", _("spoiler")
    COPYRIGHT = "copyright", _("copyright")
    OTHER = "other", pgettext_lazy("reason", "other")


# How much harm each does while nobody looks: the queue begins with the greatest.
HARM = {Reason.ABUSE: 50, Reason.COPYRIGHT: 30, Reason.SPAM: 20, Reason.SPOILER: 20, Reason.OTHER: 10}
# An author who waits for an answer stands between abuse and the rest.
HARM_OF_APPEAL = 40


class Action(models.TextChoices):
    """What is decided about a case; all but the first by somebody of the staff."""

    CONCEAL = "conceal", _("hidden until staff look")
    HIDE = "hide", _("hidden")
    RESTORE = "restore", _("restored")
    DISMISS = "dismiss", _("dismissed")
    WARN = "warn", _("warned")
    SUSPEND = "suspend", _("suspended")
    UNDO = "undo", _("undone")


# What bears on its author, who may appeal.
ADVERSE = (Action.CONCEAL, Action.HIDE, Action.WARN, Action.SUSPEND)


class Ground(models.TextChoices):
    """Why something was decided: a reason for a report that holds, or why none did."""

    SPAM = "spam", _("It is spam.")
    ABUSE = "abuse", _("It attacks or harasses people.")
    SPOILER = "spoiler", _("It gives away a story without a warning.")
    COPYRIGHT = "copyright", _("It copies what belongs to others.")
    OTHER = "other", _("It does not belong here.")
    NO_VIOLATION = "no_violation", _("It keeps to the rules.")
    HANDLED = "handled", _("It has been put right.")
    MISTAKE = "mistake", _("The decision was a mistake.")


AGAINST = (Ground.ABUSE, Ground.SPAM, Ground.SPOILER, Ground.COPYRIGHT, Ground.OTHER)
IN_FAVOUR = (Ground.NO_VIOLATION, Ground.HANDLED, Ground.MISTAKE)
GROUNDS: dict[str, tuple[Ground, ...]] = {
    Action.HIDE: AGAINST,
    Action.WARN: AGAINST,
    Action.SUSPEND: AGAINST,
    Action.RESTORE: IN_FAVOUR,
    # An appeal is dismissed for the reason that the decision had.
    Action.DISMISS: (*IN_FAVOUR, *AGAINST),
    Action.UNDO: (*IN_FAVOUR, *AGAINST),
}
WORDS_LENGTH = 300
