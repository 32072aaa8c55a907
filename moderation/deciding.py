"""Decisions of moderators. Each one adds a row, closes pending reports and appeals, and notifies the affected user.

If two moderators decide the same case, the second gets a conflict error (optimistic locking on `Case.version`).
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
    """The decision requested by a moderator.

    `version` and `seen` (a `TargetSnapshot.digest`) identify what the moderator saw when deciding.
    """

    action: Action
    ground: Ground
    words: str
    version: int
    seen: str | None = None
    until: datetime.datetime | None = None


@retrying_atomic
def decide(case: Case, order: Order, *, by: User) -> Decision:
    """Decide a case and close its pending reports and appeals.

    Raises Conflict `gone`, `decided_meanwhile`, `changed_meanwhile`, `nothing_to_do`, `suspended_longer`;
    Forbidden `own_content`, `own_decision`, `staff_only_by_administrators`; InvalidField.
    """
    review = Desk.at(case, by=by)
    review.require_seen(order)
    review.require_may_decide(order.action)
    if order.ground not in GROUNDS[order.action]:
        raise InvalidField("ground", "does_not_fit", _("This reason does not fit the decision."))
    return review.settle(order)


@retrying_atomic
def undo(decision: Decision, *, by: User, ground: Ground, words: str, version: int) -> Decision:
    """Undo a decision: reopen its reports and appeals, and restore the previous visibility and suspension.

    Raises the same errors as `decide`, and Conflict `not_the_last`, `suspension_changed`. Forbidden `own_decision` if
    the decision answers an appeal against a decision by the same moderator.
    """
    review = Desk.at(decision.case, by=by)
    review.require_seen(Order(Action.UNDO, ground, words, version))
    review.require_not_own()
    last = review.case.last_decision
    if last is None or last.pk != decision.pk:
        raise Conflict("not_the_last", _("Only the last decision in effect can be undone."))
    review.require_no_appeal_against(last.answered.all())
    return review.undo(last, ground=ground, words=words)


class Desk:
    """A case being decided by a moderator, with its object and the case locked."""

    def __init__(self, case: Case, target: Target, row: Any, snapshot: About, by: User) -> None:
        self.case, self.target, self.row, self.snapshot, self.by = case, target, row, snapshot, by

    @classmethod
    def at(cls, case: Case, *, by: User) -> Desk:
        """Lock the object, then the case, and reload both."""
        target = report_targets[case.target_type]
        row = target.find(case.target_id)
        try:
            if row is None:
                raise Http404
            target.hold(row, by=by)
        except Http404:
            raise Conflict("gone", _("This has been deleted in the meantime.")) from None
        if not User.objects.filter(pk=by.pk).exists():
            raise PermissionDenied  # The moderator has deleted their account in the meantime.
        snapshot = target.about(row)
        locked = Case.objects.hold(case.target_type, case.target_id, snapshot)
        return cls(locked, target, row, snapshot, by)

    def require_seen(self, order: Order) -> None:
        """Raise Conflict if the case or the content has changed since the moderator saw it."""
        if self.case.version != order.version:
            raise Conflict("decided_meanwhile", self._news())
        if order.seen is not None and order.seen != self.snapshot.digest:
            raise Conflict("changed_meanwhile", _("The text has changed in the meantime. Please review it again."))

    def _news(self) -> str:
        """Return the message that explains why the version is outdated."""
        last, appeal = self.case.decisions.order_by("-id").first(), self.case.appeals.order_by("-id").first()
        if appeal and (last is None or appeal.at > last.at):
            return gettext(
                "The author has appealed in the meantime. Your decision was not saved; please review the case again."
            )
        if last and last.action == Action.CONCEAL:
            return gettext(
                "Reports have hidden this in the meantime. Your decision was not saved; please review the case again."
            )
        text = gettext(
            "%(moderator)s has decided this case in the meantime. Your decision was not saved; "
            "please review the case again."
        )
        return text % {"moderator": last.by_name if last else gettext("Another moderator")}

    def require_not_own(self) -> None:
        """Raise Forbidden if the case is about the moderator's own content."""
        if self.case.author_id == self.by.pk:
            raise Forbidden("own_content", _("This is your own content; another moderator must decide."))

    def require_may_decide(self, action: Action) -> None:
        """Raise Forbidden or Conflict unless the moderator may take this action now."""
        self.require_not_own()
        self.require_no_appeal_against(self.case.appeals.waiting())
        if action not in possible(self.case, self.target):
            raise Conflict("nothing_to_do", _("This action is not possible in the current state."))
        author = self.case.author
        if action == Action.SUSPEND and author and author.is_staff and not self.by.is_superuser:
            raise Forbidden("staff_only_by_administrators", _("Only administrators may suspend staff."))

    def require_no_appeal_against(self, appeals: AppealQuerySet) -> None:
        """Raise Forbidden if one of these appeals is against a decision of this moderator."""
        if appeals.filter(decision__by=self.by).exists():
            raise Forbidden("own_decision", _("The appeal is against your decision; another moderator must answer it."))

    def settle(self, order: Order) -> Decision:
        """Apply the decision, log it and notify the affected user."""
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
        """Restore the state before the last decision and log that."""
        if last.action == Action.SUSPEND:
            self._lift(last)
        before = case_before(self.case)
        # Content that reports have hidden since stays hidden, because nobody has reviewed it yet.
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
        # The author was not notified of a dismissed report that hid nothing.
        if last.action != Action.DISMISS or last.before["concealed"] or answered:
            tell(decision)
        return decision

    def _apply(self, order: Order) -> bool:
        """Apply the action; return whether the content is visible again."""
        pending = self.case.concealed == Concealed.PENDING
        if order.action == Action.RESTORE or (order.action == Action.DISMISS and pending):
            self._conceal(Concealed.NO)
            return True
        if order.action == Action.HIDE or (order.action in (Action.WARN, Action.SUSPEND) and pending):
            # Content that led to a warning or suspension stays hidden.
            self._conceal(Concealed.HIDDEN, order.ground, order.words)
        if order.action == Action.SUSPEND:
            self._suspend(order.until)
        return False

    def _conceal(self, concealed: str, ground: str = "", words: str = "") -> None:
        if self.target.can_be_hidden and bool(concealed) != self.snapshot.is_hidden:
            act: Callable[[Any], None] = self.target.hide if concealed else self.target.restore
            act(self.row)
        self.case.concealed, self.case.ground, self.case.words = concealed, ground, words

    def _suspend(self, until: datetime.datetime | None) -> None:
        now = timezone.now()
        if until is None or not now < until <= now + LONGEST_SUSPENSION:
            raise InvalidField("until", "out_of_range", _("Enter a time between now and ten years from now."))
        author = self.case.author
        if author is None:
            return
        if author.suspended_until is not None and author.suspended_until > until:
            # Another moderator may have suspended the author because of another case.
            text = _("The author is already suspended for longer. To shorten the suspension, undo that decision.")
            raise Conflict("suspended_longer", text)
        author.suspend(until, by=self.by)

    def _lift(self, last: Decision) -> None:
        author = last.subject
        if author is None or author.suspended_until != last.until:
            raise Conflict("suspension_changed", _("The suspension was changed in the meantime."))
        was = last.before["suspended_until"]
        author.suspend(parse_datetime(was) if was else None, by=self.by)

    def _write_down(self, decision: Decision, verb: str) -> None:
        self.case.version += 1
        self.case.decided_at = decision.at
        self.case.settle()
        record(f"moderation.{verb}", actor=self.by.pk, thing=self.case.thing)
        # The audit log identifies objects by model label and can be searched by username.
        audit_target = Audited(self.row._meta.label_lower, self.row.pk)
        reason = f"{decision.ground}: {decision.words}" if decision.words else decision.ground
        audit(f"moderation.{verb}", by=self.by, target=audit_target, reason=reason)


PAST = {
    Action.HIDE: "hidden",
    Action.RESTORE: "restored",
    Action.DISMISS: "dismissed",
    Action.WARN: "warned",
    Action.SUSPEND: "suspended",
    Action.UNDO: "undone",
}


def possible(case: Case, target: Target) -> list[Action]:
    """Return the actions that are possible in the current state of a case."""
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
