"""What the admin's page of a user shows to moderators: cases, decisions and reports, and what other apps contribute."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin.dashboard import Panel
from core.registry import user_panels
from moderation.choices import CaseStatus
from moderation.models import Case, Decision, Report

MAX_ROWS = 10


def get_user_panels(user: User, request: HttpRequest) -> list[Panel]:
    """Return the panels about a user; each takes a constant number of queries and has at most `MAX_ROWS` rows."""
    if not request.user.has_perm("moderation.view_case"):
        return []
    own = [_cases(user), _decisions(user), _reports(user)]
    return own + [panel for build in user_panels.values() if (panel := build(user, request)) is not None]


def _cases(user: User) -> Panel:
    cases = Case.objects.filter(author=user).order_by("-pk")[:MAX_ROWS]
    rows = [(str(case), _case_state(case), _case_url(case.pk)) for case in cases]
    return Panel(_("Cases about their content"), rows)


def _case_state(case: Case) -> str:
    states = [case.get_status_display(), case.get_hidden_state_display() if case.hidden_state else ""]
    if case.status == CaseStatus.OPEN and case.is_appealed:
        states.append(str(_("appealed")))
    return " · ".join(filter(None, states))


def _decisions(user: User) -> Panel:
    decisions = Decision.objects.filter(subject=user).select_related("case").order_by("-pk")[:MAX_ROWS]
    rows = [
        (
            f"{decision.case}: {decision.get_action_display()}",
            f"{_day(decision.created_at)} · {decision.get_reason_display()}",
            _case_url(decision.case_id),
        )
        for decision in decisions
    ]
    return Panel(_("Decisions about them"), rows)


def _report_state(report: Report) -> str:
    # Not in the f-string below: Python 3.11 extracts no messages from f-strings.
    return str(_("decided") if report.decision_id else _("waiting"))


def _reports(user: User) -> Panel:
    reports = Report.objects.filter(reporter=user).select_related("case").order_by("-pk")[:MAX_ROWS]
    rows = [
        (
            f"{report.case}: {report.get_reason_display()}",
            f"{_day(report.created_at)} · {_report_state(report)}",
            _case_url(report.case_id),
        )
        for report in reports
    ]
    return Panel(_("Reports they made"), rows)


def _day(moment: Any) -> str:
    return localize(timezone.localtime(moment).date())


def _case_url(pk: int) -> str:
    return reverse("admin:moderation_case_change", args=[pk])
