"""Notifications about decisions, translated when they are read."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from activity.choices import NotificationKind
from activity.messages import DeferredMessage, time_message
from activity.services import notify
from core.registry import report_targets
from moderation.choices import ADVERSE_ACTIONS, Action, DecisionReason
from moderation.models import Decision

# %(what)s is the type of the object, %(title)s its title, %(until)s a date and time.
DECISION_MESSAGES = {
    Action.AUTO_HIDE: _("Hidden pending review by a moderator, after reports from readers: %(what)s “%(title)s”."),
    Action.HIDE: _("Hidden by a moderator: %(what)s “%(title)s”."),
    Action.RESTORE: _("Visible again: %(what)s “%(title)s”."),
    Action.DISMISS: _("A moderator has reviewed your appeal and upheld the decision: %(what)s “%(title)s”."),
    Action.WARN: _("Warning from a moderator: %(what)s “%(title)s”."),
    Action.SUSPEND: _("Your account is suspended until %(until)s: %(what)s “%(title)s”."),
    Action.UNDO: _("A moderator has reversed a decision: %(what)s “%(title)s”."),
}
# Penalties that also hide the content.
HIDING_MESSAGES = {
    Action.WARN: _("Hidden, with a warning from a moderator: %(what)s “%(title)s”."),
    Action.SUSPEND: _("Your account is suspended until %(until)s, and this is hidden: %(what)s “%(title)s”."),
}
MAX_TITLE = 80
# Adverse decisions after which the user can still sign in.
APPEALED_IN_APP = set(ADVERSE_ACTIONS) - {Action.SUSPEND}


def notify_decision(decision: Decision, *, action: Action | None = None) -> None:
    """Notify the affected user of a decision, if there is one. `action` overrides which message is sent."""
    user = decision.subject
    if user is not None:
        message = decision_message(decision, action or Action(decision.action), zone=user.timezone)
        notify(
            NotificationKind.MODERATION,
            [user.pk],
            object_ref=decision.case.object_ref,
            detail=message,
            key=f"decision:{decision.pk}",
        )
        decision.notified = True


def decision_message(decision: Decision, action: Action, *, zone: str) -> DeferredMessage:
    """Return the message as stored by a notification: codes, title and comment, one per line."""
    case, until = decision.case, time_message(decision.until, zone).argument if decision.until else ""
    title = Truncator(" ".join(case.title.split())).chars(MAX_TITLE)
    return DeferredMessage(
        # Servers of the previous version do not know the second code, and show no text for it.
        "hiding_penalty" if action in HIDING_MESSAGES and decision.hides_content else "decision",
        "\n".join([action, case.target_type, decision.reason, until, title, decision.comment]),
    )


def render_hiding_penalty(argument: str) -> str:
    """Return the translated message of a penalty that also hides the content."""
    return render_decision(argument, messages=HIDING_MESSAGES)


def render_decision(argument: str, *, messages: Mapping[Action, Any] = DECISION_MESSAGES) -> str:
    """Return the translated message: the decision, its reason and the comment."""
    action, target_type, reason, until, title, comment = argument.split("\n", 5)
    label = report_targets[target_type].label if target_type in report_targets else target_type
    text = messages[Action(action)] % {
        "what": label,
        "title": title,
        "until": DeferredMessage("time", until) if until else "",
    }
    appeal = gettext("You can appeal in the app.") if action in APPEALED_IN_APP else ""
    # The moderator may end the comment without a full stop.
    return " ".join(filter(None, (join_sentences(text, reason, ""), appeal, comment)))


def join_sentences(text: str, reason: str, comment: str) -> str:
    """Join a sentence, the label of a decision reason and a moderator's comment."""
    return " ".join(filter(None, (text, str(DecisionReason(reason).label) if reason else "", comment)))
