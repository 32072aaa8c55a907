"""Reports and appeals of users, and automatic hiding after enough reports."""

from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from activity.services import record
from bookbridge.api.errors import Conflict, Forbidden, InvalidField
from bookbridge.api.registry import report_targets
from bookbridge.api.transactions import conflict_as, retrying_atomic
from moderation.models import Appeal, Case, Concealed, Decision, Report
from moderation.reasons import HARM, Action, Reason
from moderation.targets import About, Target
from moderation.telling import tell


def report(*, by: User, target_type: str, target_id: int, reason: str, note: str = "") -> Report:
    """Report an object that `by` can see.

    Raises Conflict `already_reported`, InvalidField `does_not_exist` or Forbidden `own_content`. The duplicate is
    checked first, because the object may already be hidden from its reporters.
    """
    target_id = report_targets[target_type].named(target_id)
    if Report.objects.by_of(by, target_type, target_id).exists():
        raise _already_reported()
    require_visible(by, target_type, target_id)
    return _file(by=by, target=report_targets[target_type], pk=target_id, reason=reason, note=note)


@retrying_atomic
def _file(*, by: User, target: Target, pk: int, reason: str, note: str) -> Report:
    row, snapshot = hold(target, pk, by=by)
    if snapshot.author == by.pk:
        raise Forbidden("own_content", _("You cannot report your own content."))
    case = Case.objects.hold(target.word, pk, snapshot)
    with conflict_as(_already_reported()):
        created = case.reports.create(reporter=by, reason=reason, note=note)
    if target.can_be_hidden and not snapshot.is_hidden and case.reports.waiting().count() >= settings.REPORTS_TO_HIDE:
        _conceal(case, target, row)
    case.settle()
    record("report.created", actor=by.pk, thing=case.thing)
    return created


def _conceal(case: Case, target: Target, row: Any) -> None:
    """Hide reported content until staff review it. The caller locks it and refreshes the queue fields of the case."""
    target.hide(row)
    reasons = case.reports.waiting().values_list("reason", flat=True)
    worst = max(reasons, key=lambda reason: HARM[Reason(reason)])
    before = case_before(case)
    case.concealed, case.ground, case.words = Concealed.PENDING, worst, ""
    case.version += 1
    decision = Decision.objects.create(
        case=case, action=Action.CONCEAL, subject_id=case.author_id, ground=worst, before=before
    )
    record("moderation.concealed", actor=None, thing=case.thing)
    tell(decision)


def case_before(case: Case) -> dict[str, Any]:
    """Return the state of the case that an undo restores."""
    return {"concealed": case.concealed, "ground": case.ground, "words": case.words}


@retrying_atomic
def appeal(*, by: User, target_type: str, target_id: int, text: str) -> Appeal:
    """Appeal the latest decision against an object of `by`.

    Raises InvalidField `does_not_exist`; Forbidden `not_yours`; Conflict `nothing_to_appeal`, `already_appealed`.
    """
    require_visible(by, target_type, target_id)
    target = report_targets[target_type]
    _row, snapshot = hold(target, target_id, by=by)
    if snapshot.author != by.pk:
        raise Forbidden("not_yours", _("You can only appeal decisions about your own content."))
    case = Case.objects.select_for_update().filter(target_type=target_type, target_id=target_id).first()
    decision = case.appealable_by(by) if case else None
    if case is None or decision is None:
        raise Conflict("nothing_to_appeal", _("There is no decision to appeal."))
    with conflict_as(Conflict("already_appealed", _("You have already appealed this decision."))):
        created = Appeal.objects.create(case=case, decision=decision, author=by, text=text)
    case.version += 1
    case.settle()
    record("appeal.created", actor=by.pk, thing=case.thing)
    return created


@retrying_atomic
def open_case(word: str, pk: int, *, by: User) -> Case:
    """Return the case about an object for staff; create it if there is none. Raises Http404 if there is no such object.

    Private content of clubs needs a report first: only its existing cases can be opened.
    """
    if word not in report_targets:
        raise Http404
    if report_targets[word].is_talk and not Case.objects.filter(target_type=word, target_id=pk).exists():
        raise Http404
    try:
        _row, snapshot = hold(report_targets[word], pk, by=by)
    except InvalidField:
        raise Http404 from None
    case = Case.objects.hold(word, pk, snapshot)
    case.settle()
    return case


def require_visible(user: User, word: str, pk: int) -> None:
    """Raise InvalidField unless the object is visible to `user`."""
    if not report_targets[word].visible_to(user).filter(pk=pk).exists():
        raise _does_not_exist()


def hold(target: Target, pk: int, *, by: User) -> tuple[Any, About]:
    """Lock an object, its author and `by`; return the object and its snapshot. Raises InvalidField if it is deleted."""
    row = target.find(pk)
    if row is None:
        raise _does_not_exist()
    try:
        target.hold(row, by=by)
    except Http404:
        raise _does_not_exist() from None
    if not User.objects.filter(pk=by.pk).exists():
        raise NotAuthenticated
    return row, target.about(row)


def _does_not_exist() -> InvalidField:
    return InvalidField("target_id", "does_not_exist", _("The reported object was not found."))


def _already_reported() -> Conflict:
    return Conflict("already_reported", _("You have already reported this."))
