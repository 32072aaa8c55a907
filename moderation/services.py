"""Reports and appeals: what readers may say, and when enough of them hide a text."""

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
    """Note that `by` finds something wrong with what they see.

    Raises Conflict `already_reported` first, since a text may be hidden by then from who has reported it; InvalidField
    `does_not_exist`, Forbidden `own_content`.
    """
    target_id = report_targets[target_type].named(target_id)
    if Report.objects.by_of(by, target_type, target_id).exists():
        raise _already_reported()
    require_visible(by, target_type, target_id)
    return _file(by=by, target=report_targets[target_type], pk=target_id, reason=reason, note=note)


@retrying_atomic
def _file(*, by: User, target: Target, pk: int, reason: str, note: str) -> Report:
    row, about = hold(target, pk, by=by)
    if about.author == by.pk:
        raise Forbidden("own_content", _("This is your own."))
    case = Case.objects.hold(target.word, pk, about)
    with conflict_as(_already_reported()):
        made = case.reports.create(reporter=by, reason=reason, note=note)
    if target.can_be_hidden and not about.is_hidden and case.reports.waiting().count() >= settings.REPORTS_TO_HIDE:
        _conceal(case, target, row)
    case.settle()
    record("report.created", actor=by.pk, thing=case.thing)
    return made


def _conceal(case: Case, target: Target, row: Any) -> None:
    """Hide what enough readers have reported until staff look. The caller holds it and settles the case."""
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
    """What an undo must put back of the case itself."""
    return {"concealed": case.concealed, "ground": case.ground, "words": case.words}


@retrying_atomic
def appeal(*, by: User, target_type: str, target_id: int, text: str) -> Appeal:
    """Note that `by` disagrees with the newest decision about something of theirs.

    Raises InvalidField `does_not_exist`; Forbidden `not_yours`; Conflict `nothing_to_appeal`, `already_appealed`.
    """
    require_visible(by, target_type, target_id)
    target = report_targets[target_type]
    _row, about = hold(target, target_id, by=by)
    if about.author != by.pk:
        raise Forbidden("not_yours", _("This is not yours."))
    case = Case.objects.select_for_update().filter(target_type=target_type, target_id=target_id).first()
    decision = case.appealable_by(by) if case else None
    if case is None or decision is None:
        raise Conflict("nothing_to_appeal", _("Nothing was decided against this."))
    with conflict_as(Conflict("already_appealed", _("You have appealed against this decision already."))):
        made = Appeal.objects.create(case=case, decision=decision, author=by, text=text)
    case.version += 1
    case.settle()
    record("appeal.created", actor=by.pk, thing=case.thing)
    return made


@retrying_atomic
def open_case(word: str, pk: int, *, by: User) -> Case:
    """The case about a thing, for staff who need no report to look at it; Http404 where there is no such thing.

    What is said in clubs needs one: of that a case which is there already is opened, and no other.
    """
    if word not in report_targets:
        raise Http404
    if report_targets[word].is_talk and not Case.objects.filter(target_type=word, target_id=pk).exists():
        raise Http404
    try:
        _row, about = hold(report_targets[word], pk, by=by)
    except InvalidField:
        raise Http404 from None
    case = Case.objects.hold(word, pk, about)
    case.settle()
    return case


def require_visible(user: User, word: str, pk: int) -> None:
    """Raise InvalidField where `user` sees no such thing."""
    if not report_targets[word].visible_to(user).filter(pk=pk).exists():
        raise _does_not_exist()


def hold(target: Target, pk: int, *, by: User) -> tuple[Any, About]:
    """Lock a thing, its author and `by`; InvalidField where the thing is gone by now."""
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
    return InvalidField("target_id", "does_not_exist", _("There is no such thing."))


def _already_reported() -> Conflict:
    return Conflict("already_reported", _("You have reported this already."))
