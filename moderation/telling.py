"""What an author is told of a decision, put into words when they read it."""

from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from activity.details import Said, said_time
from activity.kinds import Kind
from activity.services import notify
from bookbridge.api.registry import report_targets
from moderation.models import Decision
from moderation.reasons import Action, Ground

# %(what)s is the kind of the thing, %(title)s what it is called, %(until)s a moment.
TEXTS = {
    Action.CONCEAL: _("Hidden until a moderator looks at it, because readers have reported it: %(what)s “%(title)s”."),
    Action.HIDE: _("Hidden by a moderator: %(what)s “%(title)s”."),
    Action.RESTORE: _("Shown again: %(what)s “%(title)s”."),
    Action.DISMISS: _("A moderator has looked at it, and the decision stands: %(what)s “%(title)s”."),
    Action.WARN: _("A moderator warns you: %(what)s “%(title)s”."),
    Action.SUSPEND: _("Your account is suspended until %(until)s: %(what)s “%(title)s”."),
    Action.UNDO: _("A moderator has taken a decision back: %(what)s “%(title)s”."),
}
TITLE_SHOWN = 80


def tell(decision: Decision, *, action: Action | None = None) -> None:
    """Tell whom a decision bears on, if anybody; `action` where another one's words say it better."""
    reader = decision.subject
    if reader is not None:
        said = said_of(decision, action or Action(decision.action), zone=reader.timezone)
        notify(Kind.MODERATION, [reader.pk], thing=decision.case.thing, detail=said, key=f"decision:{decision.pk}")


def said_of(decision: Decision, action: Action, *, zone: str) -> Said:
    """The decision as a notification keeps it: codes, the title and the moderator's own words, a line each."""
    case, until = decision.case, said_time(decision.until, zone).about if decision.until else ""
    title = Truncator(" ".join(case.title.split())).chars(TITLE_SHOWN)
    return Said("decision", "\n".join([action, case.target_type, decision.ground, until, title, decision.words]))


def render_decision(about: str) -> str:
    """The sentence about what was decided, the one about why, and the moderator's own words."""
    action, word, ground, until, title, words = about.split("\n", 5)
    what = report_targets[word].label if word in report_targets else word
    text = TEXTS[Action(action)] % {"what": what, "title": title, "until": Said("time", until) if until else ""}
    return in_words(text, ground, words)


def in_words(text: str, ground: str, words: str) -> str:
    """A sentence, that of a ground, and a moderator's own words."""
    return " ".join(filter(None, (text, str(Ground(ground).label) if ground else "", words)))
