"""Choices of moderation: case and hidden states, report reasons, actions and the decision reasons that fit them."""

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
SEVERITY = {Reason.ABUSE: 50, Reason.COPYRIGHT: 30, Reason.SPAM: 20, Reason.SPOILER: 20, Reason.OTHER: 10}
# Appeals rank between abuse and all other reasons.
APPEAL_SEVERITY = 40


class Action(models.TextChoices):
    """Action of a decision; all but the first are taken by staff."""

    AUTO_HIDE = "conceal", _("hidden pending review")
    HIDE = "hide", _("hidden")
    RESTORE = "restore", _("restored")
    DISMISS = "dismiss", _("dismissed")
    WARN = "warn", _("warned")
    SUSPEND = "suspend", _("suspended")
    UNDO = "undo", _("undone")


# Actions against the author, who may appeal them.
ADVERSE_ACTIONS = (Action.AUTO_HIDE, Action.HIDE, Action.WARN, Action.SUSPEND)

# Actions against the author, which also hide the content unless the moderator keeps it visible.
PENALTIES = (Action.WARN, Action.SUSPEND)


class DecisionReason(models.TextChoices):
    """Reason of a decision: which rule was violated, or why none was."""

    SPAM = "spam", _("It is spam.")
    ABUSE = "abuse", _("It attacks or harasses people.")
    SPOILER = "spoiler", _("It contains unmarked spoilers.")
    COPYRIGHT = "copyright", _("It infringes copyright.")
    OTHER = "other", _("It does not belong here.")
    NO_VIOLATION = "no_violation", _("It follows the rules.")
    HANDLED = "handled", _("It has been corrected.")
    MISTAKE = "mistake", _("The decision was a mistake.")


VIOLATION_REASONS = (
    DecisionReason.ABUSE,
    DecisionReason.SPAM,
    DecisionReason.SPOILER,
    DecisionReason.COPYRIGHT,
    DecisionReason.OTHER,
)
NO_VIOLATION_REASONS = (DecisionReason.NO_VIOLATION, DecisionReason.HANDLED, DecisionReason.MISTAKE)
REASONS_BY_ACTION: dict[str, tuple[DecisionReason, ...]] = {
    Action.HIDE: VIOLATION_REASONS,
    Action.WARN: VIOLATION_REASONS,
    Action.SUSPEND: VIOLATION_REASONS,
    Action.RESTORE: NO_VIOLATION_REASONS,
    # A dismissed appeal keeps the reason of the decision.
    Action.DISMISS: (*NO_VIOLATION_REASONS, *VIOLATION_REASONS),
    Action.UNDO: (*NO_VIOLATION_REASONS, *VIOLATION_REASONS),
}
COMMENT_LENGTH = 300


class CaseStatus(models.TextChoices):
    """Status of a case."""

    OPEN = "open", pgettext_lazy("case", "open")
    CLOSED = "closed", pgettext_lazy("case", "closed")
    DELETED = "deleted", _("deleted")


class HiddenState(models.TextChoices):
    """Visibility of the content of a case: visible, hidden by reports, or hidden by staff."""

    VISIBLE = "", _("visible")
    PENDING = "pending", _("hidden pending review")
    HIDDEN = "hidden", _("hidden by staff")
