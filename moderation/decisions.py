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
from activity.services import record_event
from core.api.exceptions import Conflict, InvalidFieldError, PermissionDeniedProblem
from core.audit import AuditTarget, log_audit_event
from core.db.transactions import atomic_with_retry
from core.registry import report_targets
from moderation.choices import PENALTIES, REASONS_BY_ACTION, Action, CaseStatus, DecisionReason, HiddenState
from moderation.models import Case, Decision
from moderation.notifications import notify_decision
from moderation.querysets import AppealQuerySet
from moderation.services import snapshot_case
from moderation.targets.base import ReportTarget, TargetSnapshot

MAX_SUSPENSION = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class DecisionRequest:
    """The decision requested by a moderator.

    `version` and `digest` (of the snapshot) identify what the moderator saw when deciding. A warning or a suspension
    hides the content, unless `keep_visible`.
    """

    action: Action
    reason: DecisionReason
    comment: str
    version: int
    digest: str | None = None
    until: datetime.datetime | None = None
    keep_visible: bool = False


@atomic_with_retry
def decide(case: Case, requested: DecisionRequest, *, by: User) -> Decision:
    """Decide a case and close its pending reports and appeals.

    Raises Conflict `gone`, `decided_meanwhile`, `changed_meanwhile`, `nothing_to_do`, `suspended_longer`;
    PermissionDeniedProblem `own_content`, `own_decision`, `staff_only_by_administrators`; InvalidFieldError.
    """
    review = CaseReview.lock(case, by=by)
    review.check_not_stale(requested)
    review.check_can_decide(requested.action)
    if requested.reason not in REASONS_BY_ACTION[requested.action]:
        raise InvalidFieldError("reason", "does_not_fit", _("This reason does not fit the decision."))
    if requested.reason == DecisionReason.OTHER and not requested.comment:
        raise InvalidFieldError("comment", "required", _("Please explain the decision."))
    return review.apply_decision(requested)


@atomic_with_retry
def undo(decision: Decision, *, by: User, reason: DecisionReason, comment: str, version: int) -> Decision:
    """Undo a decision: reopen its reports and appeals, and restore the previous visibility and suspension.

    Raises the same errors as `decide`, and Conflict `not_the_last`, `suspension_changed`. PermissionDeniedProblem
    `own_decision` if the decision answers an appeal against a decision by the same moderator.
    """
    review = CaseReview.lock(decision.case, by=by)
    review.check_not_stale(DecisionRequest(Action.UNDO, reason, comment, version))
    review.check_not_own()
    last = review.case.last_decision
    if last is None or last.pk != decision.pk:
        raise Conflict("not_the_last", _("Only the last decision in effect can be undone."))
    review.check_no_appeal_against(last.answered_appeals.all())
    return review.undo(last, reason=reason, comment=comment)


class CaseReview:
    """A case being decided by a moderator, with its object and the case locked."""

    def __init__(self, case: Case, target: ReportTarget[Any], obj: Any, snapshot: TargetSnapshot, by: User) -> None:
        self.case, self.target, self.obj, self.snapshot, self.by = case, target, obj, snapshot, by

    @classmethod
    def lock(cls, case: Case, *, by: User) -> CaseReview:
        """Lock the object, then the case, and reload both."""
        target = report_targets[case.target_type]
        obj = target.get(case.target_id)
        try:
            if obj is None:
                raise Http404
            target.lock(obj, by=by)
        except Http404:
            raise Conflict("gone", _("This has been deleted in the meantime.")) from None
        if not User.objects.filter(pk=by.pk).exists():
            raise PermissionDenied  # The moderator has deleted their account in the meantime.
        snapshot = target.snapshot(obj)
        locked = Case.objects.lock_or_create(case.target_type, case.target_id, snapshot)
        return cls(locked, target, obj, snapshot, by)

    def check_not_stale(self, requested: DecisionRequest) -> None:
        """Raise Conflict if the case or the content has changed since the moderator saw it."""
        if self.case.version != requested.version:
            raise Conflict("decided_meanwhile", self._conflict_message())
        if requested.digest is not None and requested.digest != self.snapshot.digest:
            raise Conflict("changed_meanwhile", _("The text has changed in the meantime. Please review it again."))

    def _conflict_message(self) -> str:
        """Return the message that explains why the version is outdated."""
        last, appeal = self.case.decisions.order_by("-id").first(), self.case.appeals.order_by("-id").first()
        if appeal and (last is None or appeal.created_at > last.created_at):
            return gettext(
                "The author has appealed in the meantime. Your decision was not saved; please review the case again."
            )
        if last and last.action == Action.AUTO_HIDE:
            return gettext(
                "Reports have hidden this in the meantime. Your decision was not saved; please review the case again."
            )
        text = gettext(
            "%(moderator)s has decided this case in the meantime. Your decision was not saved; "
            "please review the case again."
        )
        return text % {"moderator": last.by_name if last else gettext("Another moderator")}

    def check_not_own(self) -> None:
        """Raise PermissionDeniedProblem if the case is about the moderator's own content."""
        if self.case.author_id == self.by.pk:
            raise PermissionDeniedProblem("own_content", _("This is your own content; another moderator must decide."))

    def check_can_decide(self, action: Action) -> None:
        """Raise PermissionDeniedProblem or Conflict unless the moderator may take this action now."""
        self.check_not_own()
        self.check_no_appeal_against(self.case.appeals.pending())
        if action not in available_actions(self.case, self.target):
            raise Conflict("nothing_to_do", _("This action is not possible in the current state."))
        author = self.case.author
        if action == Action.SUSPEND and author and author.is_staff and not self.by.is_superuser:
            raise PermissionDeniedProblem("staff_only_by_administrators", _("Only administrators may suspend staff."))

    def check_no_appeal_against(self, appeals: AppealQuerySet) -> None:
        """Raise PermissionDeniedProblem if one of these appeals is against a decision of this moderator."""
        if appeals.filter(decision__by=self.by).exists():
            raise PermissionDeniedProblem(
                "own_decision", _("The appeal is against your decision; another moderator must answer it.")
            )

    def apply_decision(self, requested: DecisionRequest) -> Decision:
        """Apply the decision, log it and notify the affected user."""
        author = self.case.author
        suspended_until = author.suspended_until.isoformat() if author and author.suspended_until else None
        decision = Decision(
            case=self.case,
            action=requested.action,
            by=self.by,
            by_name=self.by.username,
            subject=author,
            reason=requested.reason,
            comment=requested.comment,
            until=requested.until,
            previous_state={**snapshot_case(self.case), "suspended_until": suspended_until},
        )
        pending = self.case.hidden_state == HiddenState.PENDING
        self._apply_action(requested)
        decision.save(force_insert=True)
        appealed = self.case.appeals.pending().update(answer=decision)
        self.case.reports.pending().update(decision=decision)
        decision.hides_content = self.target.can_be_hidden and bool(self.case.hidden_state)
        self._log(decision, PAST_TENSE[requested.action])
        if requested.action == Action.DISMISS and pending:
            notify_decision(decision, action=Action.RESTORE)
        elif requested.action == Action.RESTORE and appealed:
            notify_decision(decision, action=Action.UNDO)
        elif requested.action != Action.DISMISS or appealed:
            notify_decision(decision)
        return decision

    def undo(self, last: Decision, *, reason: DecisionReason, comment: str) -> Decision:
        """Restore the state before the last decision and log that."""
        if last.action == Action.SUSPEND:
            self._lift_suspension(last)
        elif last.action == Action.RESTORE:
            self._suspend_again(last)
        previous_state = snapshot_case(self.case)
        # Content that reports have hidden since stays hidden, because nobody has reviewed it yet.
        if last.previous_state["hidden_state"] or self.case.hidden_state != HiddenState.PENDING:
            self._set_hidden(
                last.previous_state["hidden_state"], last.previous_state["reason"], last.previous_state["comment"]
            )
        decision = Decision.objects.create(
            case=self.case,
            action=Action.UNDO,
            by=self.by,
            by_name=self.by.username,
            subject=last.subject,
            reason=reason,
            comment=comment,
            previous_state=previous_state,
            undoes=last,
        )
        answered = self.case.appeals.filter(answer=last).update(answer=None)
        self.case.appeals.pending().filter(decision=last).update(answer=decision)
        last.reports.update(decision=None)
        self._log(decision, PAST_TENSE[Action.UNDO])
        # The author was not notified of a dismissed report that hid nothing.
        if last.action != Action.DISMISS or last.previous_state["hidden_state"] or answered:
            notify_decision(decision)
        return decision

    def _apply_action(self, requested: DecisionRequest) -> None:
        action, pending = requested.action, self.case.hidden_state == HiddenState.PENDING
        keeps_visible = action in PENALTIES and requested.keep_visible
        if action == Action.RESTORE or keeps_visible or (action == Action.DISMISS and pending):
            self._set_hidden(HiddenState.VISIBLE)
        elif action == Action.HIDE or (action in PENALTIES and self.target.can_be_hidden):
            self._set_hidden(HiddenState.HIDDEN, requested.reason, requested.comment)
        if action == Action.SUSPEND:
            self._suspend(requested.until)
        elif action == Action.RESTORE:
            self._lift_appealed_suspension()

    def _set_hidden(self, hidden_state: str, reason: str = "", comment: str = "") -> None:
        if self.target.can_be_hidden and bool(hidden_state) != self.snapshot.is_hidden:
            method: Callable[[Any], None] = self.target.hide if hidden_state else self.target.restore
            method(self.obj)
        self.case.hidden_state, self.case.reason, self.case.comment = hidden_state, reason, comment

    def _suspend(self, until: datetime.datetime | None) -> None:
        now = timezone.now()
        if until is None or not now < until <= now + MAX_SUSPENSION:
            raise InvalidFieldError("until", "out_of_range", _("Enter a time between now and ten years from now."))
        author = self.case.author
        if author is None:
            return
        if author.suspended_until is not None and author.suspended_until > until:
            # Another moderator may have suspended the author because of another case.
            text = _("The author is already suspended for longer. To shorten the suspension, undo that decision.")
            raise Conflict("suspended_longer", text)
        author.suspend(until, by=self.by)

    def _lift_suspension(self, last: Decision) -> None:
        author = last.subject
        if author is None or author.suspended_until != last.until:
            raise Conflict("suspension_changed", _("The suspension was changed in the meantime."))
        previous = last.previous_state["suspended_until"]
        author.suspend(parse_datetime(previous) if previous else None, by=self.by)

    def _lift_appealed_suspension(self) -> None:
        """Lift the suspension that a granted appeal is against, unless another decision has changed it since."""
        appeal = self.case.appeals.pending().filter(decision__action=Action.SUSPEND).select_related("decision").first()
        author = self.case.author
        if appeal and author and author.suspended_until == appeal.decision.until:
            previous = appeal.decision.previous_state["suspended_until"]
            author.suspend(parse_datetime(previous) if previous else None, by=self.by)

    def _suspend_again(self, last: Decision) -> None:
        """Restore the suspension that a granted appeal has lifted."""
        author, previous = last.subject, last.previous_state.get("suspended_until")
        until = parse_datetime(previous) if previous else None
        lifted = last.answered_appeals.filter(decision__action=Action.SUSPEND).exists()
        if lifted and author and until and (author.suspended_until is None or author.suspended_until < until):
            author.suspend(until, by=self.by)

    def _log(self, decision: Decision, verb: str) -> None:
        self.case.version += 1
        self.case.decided_at = decision.created_at
        self.case.refresh_queue_fields()
        record_event(f"moderation.{verb}", actor=self.by.pk, object_ref=self.case.object_ref)
        # The audit log identifies objects by model label and can be searched by username.
        audit_target = AuditTarget(self.obj._meta.label_lower, self.obj.pk)
        reason = f"{decision.reason}: {decision.comment}" if decision.comment else decision.reason
        detail = "content hidden" if decision.action in PENALTIES and decision.hides_content else ""
        log_audit_event(f"moderation.{verb}", by=self.by, target=audit_target, reason=reason, detail=detail)


PAST_TENSE = {
    Action.HIDE: "hidden",
    Action.RESTORE: "restored",
    Action.DISMISS: "dismissed",
    Action.WARN: "warned",
    Action.SUSPEND: "suspended",
    Action.UNDO: "undone",
}


def available_actions(case: Case, target: ReportTarget[Any]) -> list[Action]:
    """Return the actions that are possible in the current state of a case."""
    actions = []
    if target.can_be_hidden and case.hidden_state != HiddenState.HIDDEN:
        actions.append(Action.HIDE)
    if case.hidden_state or case.is_appealed:
        actions.append(Action.RESTORE)
    if case.status == CaseStatus.OPEN:
        actions.append(Action.DISMISS)
    if case.author_id:
        actions += [Action.WARN, Action.SUSPEND]
    return actions
