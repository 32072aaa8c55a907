"""What staff do with a case. Each decision is a row, ends what waited, and tells whom it bears on.

Two of them at one case: the second has seen an older version than there is by then, and is told so.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.services import record
from bookbridge.api.audit import Target as Audited
from bookbridge.api.audit import audit
from bookbridge.api.errors import Conflict, Forbidden, InvalidField
from bookbridge.api.registry import report_targets
from bookbridge.api.transactions import retrying_atomic
from moderation.models import AppealQuerySet, Case, Concealed, Decision, State
from moderation.reasons import GROUNDS, Action, Ground
from moderation.services import case_before
from moderation.targets import About, Target
from moderation.telling import tell

LONGEST_SUSPENSION = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Order:
    """What a moderator wants, and what they have seen: the case's `version` and, of one thing, `About.digest`."""

    action: Action
    ground: Ground
    words: str
    version: int
    seen: str | None = None
    until: datetime.datetime | None = None


@retrying_atomic
def decide(case: Case, order: Order, *, by: User) -> Decision:
    """Decide a case; every report and appeal that waits ends with it.

    Raises Conflict `gone`, `decided_meanwhile`, `changed_meanwhile`, `nothing_to_do`, `suspended_longer`;
    Forbidden `own_content`, `own_decision`, `staff_only_by_administrators`; InvalidField.
    """
    desk = Desk.at(case, by=by)
    desk.require_seen(order)
    desk.require_may_decide(order.action)
    if order.ground not in GROUNDS[order.action]:
        raise InvalidField("ground", "does_not_fit", _("This is no reason for that."))
    return desk.settle(order)


@retrying_atomic
def undo(decision: Decision, *, by: User, ground: Ground, words: str, version: int) -> Decision:
    """Take a decision back: everything it ended waits again, and what it hid or whom it suspended is as before.

    Raises as `decide` does, and Conflict `not_the_last`, `suspension_changed`; `own_decision` where it answers an
    appeal against what `by` has decided.
    """
    desk = Desk.at(decision.case, by=by)
    desk.require_seen(Order(Action.UNDO, ground, words, version))
    desk.require_not_own()
    last = desk.case.last_decision
    if last is None or last.pk != decision.pk:
        raise Conflict("not_the_last", _("Only the last decision that stands can be undone."))
    desk.require_no_appeal_against(last.answered.all())
    return desk.undo(last, ground=ground, words=words)


class Desk:
    """A case on the desk of one moderator, its target and itself locked."""

    def __init__(self, case: Case, target: Target, row: Any, about: About, by: User) -> None:
        self.case, self.target, self.row, self.about, self.by = case, target, row, about, by

    @classmethod
    def at(cls, case: Case, *, by: User) -> Desk:
        """Lock the target, then the case, and read both afresh."""
        target = report_targets[case.target_type]
        row = target.find(case.target_id)
        try:
            if row is None:
                raise Http404
            target.hold(row, by=by)
        except Http404:
            raise Conflict("gone", _("This has been deleted meanwhile.")) from None
        if not User.objects.filter(pk=by.pk).exists():
            raise PermissionDenied  # They have closed their account meanwhile.
        about = target.about(row)
        held = Case.objects.hold(case.target_type, case.target_id, about)
        return cls(held, target, row, about, by)

    def require_seen(self, order: Order) -> None:
        """Raise Conflict where something was decided, or written, that the moderator has not seen."""
        if self.case.version != order.version:
            raise Conflict("decided_meanwhile", self._news())
        if order.seen is not None and order.seen != self.about.digest:
            raise Conflict("changed_meanwhile", _("The text has changed meanwhile. Please look again."))

    def _news(self) -> str:
        """What of the case has made a new version of it."""
        last, appeal = self.case.decisions.order_by("-id").first(), self.case.appeals.order_by("-id").first()
        if appeal and (last is None or appeal.at > last.at):
            return gettext("Its author has appealed meanwhile; nothing of yours was done. Please look again.")
        if last and last.action == Action.CONCEAL:
            return gettext("Readers’ reports have hidden it meanwhile; nothing of yours was done. Please look again.")
        text = gettext("%(who)s has decided meanwhile; nothing of yours was done. Please look again.")
        return text % {"who": last.by_name if last else gettext("somebody")}

    def require_not_own(self) -> None:
        """Raise Forbidden where the moderator would judge themself."""
        if self.case.author_id == self.by.pk:
            raise Forbidden("own_content", _("This is your own; somebody else must decide."))

    def require_may_decide(self, action: Action) -> None:
        """Raise unless the action makes sense here, and is this moderator's to take."""
        self.require_not_own()
        self.require_no_appeal_against(self.case.appeals.waiting())
        if action not in possible(self.case, self.target):
            raise Conflict("nothing_to_do", _("This cannot be done as things are now."))
        author = self.case.author
        if action == Action.SUSPEND and author and author.is_staff and not self.by.is_superuser:
            raise Forbidden("staff_only_by_administrators", _("Only administrators suspend staff."))

    def require_no_appeal_against(self, appeals: AppealQuerySet) -> None:
        """Raise Forbidden where one of these is against the moderator's own decision."""
        if appeals.filter(decision__by=self.by).exists():
            raise Forbidden("own_decision", _("The appeal is against your decision; somebody else must answer it."))

    def settle(self, order: Order) -> Decision:
        """Do it, and write it down."""
        author = self.case.author
        was = author.suspended_until.isoformat() if author and author.suspended_until else None
        decision = Decision(
            case=self.case,
            action=order.action,
            by=self.by,
            by_name=self.by.username,
            subject=author,
            ground=order.ground,
            words=order.words,
            until=order.until,
            before={**case_before(self.case), "suspended_until": was},
        )
        restored = self._apply(order)
        decision.save(force_insert=True)
        appealed = self.case.appeals.waiting().update(answer=decision)
        self.case.reports.waiting().update(decision=decision)
        self._write_down(decision, PAST[order.action])
        if restored and order.action == Action.DISMISS:
            tell(decision, action=Action.RESTORE)
        elif order.action != Action.DISMISS or appealed:
            tell(decision)
        return decision

    def undo(self, last: Decision, *, ground: Ground, words: str) -> Decision:
        """Put back what was before, and write that down."""
        if last.action == Action.SUSPEND:
            self._lift(last)
        before = case_before(self.case)
        # What reports have hidden since then stays hidden: nobody has looked at that.
        if last.before["concealed"] or self.case.concealed != Concealed.PENDING:
            self._conceal(last.before["concealed"], last.before["ground"], last.before["words"])
        decision = Decision.objects.create(
            case=self.case,
            action=Action.UNDO,
            by=self.by,
            by_name=self.by.username,
            subject=last.subject,
            ground=ground,
            words=words,
            before=before,
            undoes=last,
        )
        answered = self.case.appeals.filter(answer=last).update(answer=None)
        self.case.appeals.waiting().filter(decision=last).update(answer=decision)
        last.reports.update(decision=None)
        self._write_down(decision, PAST[Action.UNDO])
        # Of a dismissed report that hid nothing the author never heard.
        if last.action != Action.DISMISS or last.before["concealed"] or answered:
            tell(decision)
        return decision

    def _apply(self, order: Order) -> bool:
        """Make it so; whether the text is in sight again."""
        pending = self.case.concealed == Concealed.PENDING
        if order.action == Action.RESTORE or (order.action == Action.DISMISS and pending):
            self._conceal(Concealed.NO)
            return True
        if order.action == Action.HIDE or (order.action in (Action.WARN, Action.SUSPEND) and pending):
            # What somebody is warned for does not come back by that.
            self._conceal(Concealed.HIDDEN, order.ground, order.words)
        if order.action == Action.SUSPEND:
            self._suspend(order.until)
        return False

    def _conceal(self, concealed: str, ground: str = "", words: str = "") -> None:
        if self.target.can_be_hidden and bool(concealed) != self.about.is_hidden:
            act: Callable[[Any], None] = self.target.hide if concealed else self.target.restore
            act(self.row)
        self.case.concealed, self.case.ground, self.case.words = concealed, ground, words

    def _suspend(self, until: datetime.datetime | None) -> None:
        now = timezone.now()
        if until is None or not now < until <= now + LONGEST_SUSPENSION:
            raise InvalidField("until", "out_of_range", _("This must lie between now and ten years ahead."))
        author = self.case.author
        if author is None:
            return
        if author.suspended_until is not None and author.suspended_until > until:
            # Perhaps somebody else's decision about another case.
            text = _("Its author is suspended for longer already. To make it shorter, undo that decision.")
            raise Conflict("suspended_longer", text)
        author.suspend(until, by=self.by)

    def _lift(self, last: Decision) -> None:
        reader = last.subject
        if reader is None or reader.suspended_until != last.until:
            raise Conflict("suspension_changed", _("The suspension was changed meanwhile."))
        was = last.before["suspended_until"]
        reader.suspend(parse_datetime(was) if was else None, by=self.by)

    def _write_down(self, decision: Decision, verb: str) -> None:
        self.case.version += 1
        self.case.decided_at = decision.at
        self.case.settle()
        record(f"moderation.{verb}", actor=self.by.pk, thing=self.case.thing)
        # By the model's name, as everything is called in the audit log: so it is found, also by an account's name.
        about = Audited(self.row._meta.label_lower, self.row.pk)
        reason = f"{decision.ground}: {decision.words}" if decision.words else decision.ground
        audit(f"moderation.{verb}", by=self.by, target=about, reason=reason)


PAST = {
    Action.HIDE: "hidden",
    Action.RESTORE: "restored",
    Action.DISMISS: "dismissed",
    Action.WARN: "warned",
    Action.SUSPEND: "suspended",
    Action.UNDO: "undone",
}


def possible(case: Case, target: Target) -> list[Action]:
    """What can be decided about a case as it is."""
    actions = []
    if target.can_be_hidden and case.concealed != Concealed.HIDDEN:
        actions.append(Action.HIDE)
    if case.concealed:
        actions.append(Action.RESTORE)
    if case.state == State.OPEN:
        actions.append(Action.DISMISS)
    if case.author_id:
        actions += [Action.WARN, Action.SUSPEND]
    return actions
