"""Reports and appeals of users, and automatic hiding after enough reports."""

from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from activity.services import record_event
from core.api.exceptions import Conflict, InvalidFieldError, PermissionDeniedProblem
from core.db.transactions import atomic_with_retry, conflict_on_integrity_error
from core.registry import report_targets
from moderation.choices import SEVERITY, Action, HiddenState, Reason
from moderation.models import Appeal, Case, Decision, Report
from moderation.notifications import notify_decision
from moderation.targets.base import ReportTarget, TargetSnapshot


def create_report(*, by: User, target_type: str, target_id: int, reason: str, note: str = "") -> Report:
    """Report an object that `by` can see.

    Raises Conflict `already_reported`, InvalidFieldError `does_not_exist` or PermissionDeniedProblem `own_content`.
    The duplicate is checked first, because the object may already be hidden from its reporters.
    """
    target_id = report_targets[target_type].resolve_id(target_id)
    if (reported := _already_reported(by, target_type, target_id)) is not None:
        raise reported
    check_visible(by, target_type, target_id)
    return _create_report(by=by, target=report_targets[target_type], pk=target_id, reason=reason, note=note)


@atomic_with_retry
def _create_report(*, by: User, target: ReportTarget[Any], pk: int, reason: str, note: str) -> Report:
    obj, snapshot = lock_target(target, pk, by=by)
    if snapshot.author_id == by.pk:
        raise PermissionDeniedProblem("own_content", _("You cannot report your own content."))
    case = Case.objects.lock_or_create(target.target_type, pk, snapshot)
    with conflict_on_integrity_error(partial(_already_reported, by, target.target_type, pk)):
        report = case.reports.create(reporter=by, reason=reason, note=note)
    if target.can_be_hidden and not snapshot.is_hidden and case.reports.pending().count() >= settings.REPORTS_TO_HIDE:
        _auto_hide(case, target, obj)
    case.refresh_queue_fields()
    record_event("report.created", actor=by.pk, object_ref=case.object_ref)
    return report


def _auto_hide(case: Case, target: ReportTarget[Any], obj: Any) -> None:
    """Hide reported content until staff review it. The caller locks it and refreshes the queue fields of the case."""
    target.hide(obj)
    reasons = case.reports.pending().values_list("reason", flat=True)
    reason = max(reasons, key=lambda value: SEVERITY[Reason(value)])
    previous_state = snapshot_case(case)
    case.hidden_state, case.reason, case.comment = HiddenState.PENDING, reason, ""
    case.version += 1
    decision = Decision.objects.create(
        case=case, action=Action.AUTO_HIDE, subject_id=case.author_id, reason=reason, previous_state=previous_state
    )
    record_event("moderation.concealed", actor=None, object_ref=case.object_ref)
    notify_decision(decision)


def snapshot_case(case: Case) -> dict[str, Any]:
    """Return the state of the case that an undo restores."""
    return {"hidden_state": case.hidden_state, "reason": case.reason, "comment": case.comment}


@atomic_with_retry
def create_appeal(*, by: User, target_type: str, target_id: int, text: str) -> Appeal:
    """Appeal the latest decision against an object of `by`.

    Raises InvalidFieldError `does_not_exist`, PermissionDeniedProblem `not_yours`, Conflict `nothing_to_appeal` or
    `already_appealed`.
    """
    check_visible(by, target_type, target_id)
    target = report_targets[target_type]
    _obj, snapshot = lock_target(target, target_id, by=by)
    if snapshot.author_id != by.pk:
        raise PermissionDeniedProblem("not_yours", _("You can only appeal decisions about your own content."))
    case = Case.objects.select_for_update().filter(target_type=target_type, target_id=target_id).first()
    decision = case.appealable_by(by) if case else None
    if case is None or decision is None:
        detail = _("There is no decision to appeal.")
        raise Conflict("nothing_to_appeal", detail, target_type=target_type, target_id=target_id)
    with conflict_on_integrity_error(partial(_already_appealed, decision)):
        appeal = Appeal.objects.create(case=case, decision=decision, author=by, text=text)
    case.version += 1
    case.refresh_queue_fields()
    record_event("appeal.created", actor=by.pk, object_ref=case.object_ref)
    return appeal


@atomic_with_retry
def open_case(target_type: str, pk: int, *, by: User) -> Case:
    """Return the case about an object for staff; create it if there is none. Raises Http404 if there is no such object.

    Private content of clubs needs a report first: only its existing cases can be opened.
    """
    if target_type not in report_targets:
        raise Http404
    target = report_targets[target_type]
    if target.is_private_content and not Case.objects.for_targets(target_type, [pk]).exists():
        raise Http404
    try:
        _obj, snapshot = lock_target(target, pk, by=by)
    except InvalidFieldError:
        raise Http404 from None
    case = Case.objects.lock_or_create(target_type, pk, snapshot)
    case.refresh_queue_fields()
    return case


def check_visible(user: User, target_type: str, pk: int) -> None:
    """Raise InvalidFieldError unless the object is visible to `user`."""
    if not report_targets[target_type].visible_to(user).filter(pk=pk).exists():
        raise _does_not_exist()


def lock_target(target: ReportTarget[Any], pk: int, *, by: User) -> tuple[Any, TargetSnapshot]:
    """Lock an object, its author and `by`; return the object and its snapshot.

    Raises InvalidFieldError if the object is deleted.
    """
    obj = target.get(pk)
    if obj is None:
        raise _does_not_exist()
    try:
        target.lock(obj, by=by)
    except Http404:
        raise _does_not_exist() from None
    if not User.objects.filter(pk=by.pk).exists():
        raise NotAuthenticated
    return obj, target.snapshot(obj)


def _does_not_exist() -> InvalidFieldError:
    return InvalidFieldError("target_id", "does_not_exist", _("The reported object was not found."))


def _already_reported(by: User, target_type: str, target_id: int) -> Conflict | None:
    report = Report.objects.by_reporter(by, target_type, target_id).values_list("pk", flat=True).first()
    if report is None:
        return None
    return Conflict("already_reported", _("You have already reported this."), report=report)


def _already_appealed(decision: Decision) -> Conflict | None:
    appeal = Appeal.objects.filter(decision=decision).values_list("pk", flat=True).first()
    if appeal is None:
        return None
    return Conflict("already_appealed", _("You have already appealed this decision."), appeal=appeal)
