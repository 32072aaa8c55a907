"""Notifications about decisions, translated when they are read."""

from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from activity.details import Said, said_time
from activity.kinds import Kind
from activity.services import notify
from bookbridge.api.registry import report_targets
from moderation.models import Decision
from moderation.reasons import Action, Ground

# %(what)s is the type of the object, %(title)s its title, %(until)s a date and time.
TEXTS = {
    Action.CONCEAL: _("Hidden pending review by a moderator, after reports from readers: %(what)s “%(title)s”."),
    Action.HIDE: _("Hidden by a moderator: %(what)s “%(title)s”."),
    Action.RESTORE: _("Visible again: %(what)s “%(title)s”."),
    Action.DISMISS: _("A moderator has reviewed your appeal and upheld the decision: %(what)s “%(title)s”."),
    Action.WARN: _("Warning from a moderator: %(what)s “%(title)s”."),
    Action.SUSPEND: _("Your account is suspended until %(until)s: %(what)s “%(title)s”."),
    Action.UNDO: _("A moderator has reversed a decision: %(what)s “%(title)s”."),
}
TITLE_SHOWN = 80


def tell(decision: Decision, *, action: Action | None = None) -> None:
    """Notify the affected user of a decision, if there is one. `action` overrides which message is sent."""
    user = decision.subject
    if user is not None:
        message = said_of(decision, action or Action(decision.action), zone=user.timezone)
        notify(Kind.MODERATION, [user.pk], thing=decision.case.thing, detail=message, key=f"decision:{decision.pk}")


def said_of(decision: Decision, action: Action, *, zone: str) -> Said:
    """Return the message as stored by a notification: codes, title and comment, one per line."""
    case, until = decision.case, said_time(decision.until, zone).about if decision.until else ""
    title = Truncator(" ".join(case.title.split())).chars(TITLE_SHOWN)
    return Said("decision", "\n".join([action, case.target_type, decision.ground, until, title, decision.words]))


def render_decision(about: str) -> str:
    """Return the translated message: the decision, its reason and the comment."""
    action, word, ground, until, title, words = about.split("\n", 5)
    what = report_targets[word].label if word in report_targets else word
    text = TEXTS[Action(action)] % {"what": what, "title": title, "until": Said("time", until) if until else ""}
    return in_words(text, ground, words)


def in_words(text: str, ground: str, words: str) -> str:
    """Join a sentence, the label of a decision reason and a moderator's comment."""
    return " ".join(filter(None, (text, str(Ground(ground).label) if ground else "", words)))
