"""Data of the moderation pages. Each function runs a constant number of queries."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, Q
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.registry import report_targets
from moderation.choices import (
    PENALTIES,
    SEVERITY,
    VIOLATION_REASONS,
    Action,
    DecisionReason,
    Reason,
)
from moderation.models import Appeal, Case, CaseView, Decision
from moderation.queue import HISTORY_ACTIONS
from moderation.targets.base import TargetContext, TargetSnapshot

# How long a moderator counts as viewing a case after opening it.
RECENT_VIEW = datetime.timedelta(minutes=15)
MAX_SHOWN = 50
# What a decision has done, for the moderator's confirmation; penalties say what became of the text.
DONE = {
    Action.HIDE: _("hidden."),
    Action.RESTORE: _("visible again."),
    Action.DISMISS: _("reports and appeals dismissed."),
    Action.WARN: _("author warned, nothing hidden."),
    Action.SUSPEND: _("author suspended until %(until)s, nothing hidden."),
    Action.UNDO: _("decision undone."),
}
DONE_WITH_TEXT = {
    Action.WARN: _("hidden, and author warned."),
    Action.SUSPEND: _("hidden, and author suspended until %(until)s."),
}


@dataclass(frozen=True)
class AuthorHistory:
    """Decisions against an author: counts by action, and the latest ones."""

    counts: dict[str, int]
    cases: int
    decisions: list[Decision]

    @property
    def summary(self) -> str:
        """The counts as text."""
        return format_history(self.counts)


def get_author_history(author: User) -> AuthorHistory:
    """Return the moderation history of a user. Undone decisions are listed but not counted."""
    decisions = Decision.objects.filter(subject=author)
    not_undone = Count("pk", filter=Q(undone_by=None), distinct=True)
    counts = dict(decisions.filter(action__in=HISTORY_ACTIONS).order_by().values_list("action").annotate(n=not_undone))
    latest = decisions.select_related("case").prefetch_related("undone_by").order_by("-id")[:10]
    cases = Case.objects.filter(author=author).count()
    return AuthorHistory({action.value: counts.get(action.value, 0) for action in HISTORY_ACTIONS}, cases, list(latest))


def get_target_context(case: Case) -> tuple[TargetSnapshot | None, TargetContext | None]:
    """Return the current snapshot and context of the reported object, or `(None, None)` if it is deleted."""
    target = report_targets.get(case.target_type)
    obj = target.get(case.target_id) if target else None
    return (target.snapshot(obj), target.context(obj)) if target and obj is not None else (None, None)


def get_case_context(case: Case, *, by: User) -> dict[str, Any]:
    """Return the template context of the case page, without the forms."""
    snapshot, target_context = get_target_context(case)
    return {
        "case": case,
        "title": case_title(case),
        "snapshot": snapshot,
        "target_context": target_context,
        "open_reports": open_reports_by_reason(case),
        "language": language_name(case.language),
        "reports": list(case.reports.select_related("reporter").order_by("-id")[:MAX_SHOWN]),
        "decisions": list(Decision.objects.filter(case=case).prefetch_related("undone_by").order_by("-id")[:MAX_SHOWN]),
        "appeals": list(case.appeals.select_related("decision", "author").order_by("-id")[:MAX_SHOWN]),
        "last_decision": case.last_decision,
        "history": get_author_history(case.author) if case.author else None,
        "other_views": list(recent_views().filter(case=case).exclude(by=by).order_by("by_name", "-created_at")),
    }


def open_reports_by_reason(case: Case) -> list[tuple[Reason, int]]:
    """Return the number of pending reports by reason, most severe first.

    The list of reports is truncated, so the page needs these totals.
    """
    counts = dict(case.reports.pending().order_by().values_list("reason").annotate(n=Count("pk")))
    reasons = sorted(counts, key=lambda reason: -SEVERITY[Reason(reason)])
    return [(Reason(reason), counts[reason]) for reason in reasons]


def suggest_reasons(
    case: Case, *, reports: list[tuple[Reason, int]] | None = None, appeals: list[Appeal] | None = None
) -> dict[Action, DecisionReason]:
    """Return the reason that each decision most likely has: that of the reports, or of the appealed decision."""
    if reports is None:
        reports = open_reports_by_reason(case)
    if appeals is None:
        appeals = list(case.appeals.pending().select_related("decision")) if case.is_appealed else []
    pending = [appeal for appeal in appeals if appeal.answer_id is None]
    suggested = {Action.DISMISS: DecisionReason.NO_VIOLATION, Action.RESTORE: DecisionReason.NO_VIOLATION}
    if pending:
        suggested = {
            Action.DISMISS: DecisionReason(pending[0].decision.reason),
            Action.RESTORE: DecisionReason.MISTAKE,
        }
    violation = reports[0][0].value if reports else case.reason
    if violation in VIOLATION_REASONS:
        suggested |= dict.fromkeys((Action.HIDE, *PENALTIES), DecisionReason(violation))
    return suggested


def get_decision_block(case: Case, *, by: User) -> Any:
    """Return why `by` may not decide the case, or ""."""
    if case.author_id == by.pk:
        return _("This is your own content; another moderator must decide.")
    if case.is_appealed and case.appeals.pending().filter(decision__by=by).exists():
        return _("The appeal is against your decision; another moderator must answer it.")
    return ""


def describe_decision(decision: Decision) -> str:
    """Return what a decision has done and who was notified, for the moderator."""
    texts = DONE_WITH_TEXT if decision.hides_content else DONE
    until = localize(timezone.localtime(decision.until)) if decision.until else ""
    done = texts.get(Action(decision.action), DONE[Action(decision.action)]) % {"until": until}
    notified = gettext("Nobody was notified.")
    if decision.notified and decision.subject:
        notified = gettext("%(user)s was notified.") % {"user": decision.subject.username}
    return f"{decision.case}: {done} {notified}"


def language_name(code: str) -> str:
    """Return the translated name of a language, or its code if Django does not know it."""
    try:
        return str(get_language_info(code)["name_translated"]).capitalize()
    except KeyError:
        return code


def format_history(counts: dict[str, int]) -> str:
    """Return the number of decisions against a user by action, such as "2 hidden · 1 warned"."""
    labels = [f"{counts[action]} {action.label}" for action in HISTORY_ACTIONS if counts.get(action)]
    return " · ".join(labels)


def case_title(case: Case) -> str:
    """Return the type and id of the object, with its title unless it is private content."""
    target = report_targets.get(case.target_type)
    return str(case) if target is None or target.is_private_content else f"{case}: {case.title}"


def recent_views() -> Any:
    """Return the case views that are still recent (`RECENT_VIEW`)."""
    return CaseView.objects.filter(created_at__gt=timezone.now() - RECENT_VIEW)


def prefetch_other_viewers(by: User) -> Prefetch[Any]:
    """Prefetch recent views by other moderators into `other_views`."""
    return Prefetch("views", recent_views().exclude(by=by).order_by("-created_at"), to_attr="other_views")
