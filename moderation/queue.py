"""The rows of the moderation queue, and which case comes next. Each function runs a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from core.admin.changelist import IndexOrderedChangeList
from core.registry import report_targets
from moderation.choices import SEVERITY, Action, CaseStatus, HiddenState, Reason
from moderation.models import Appeal, Case, Decision, Report

EXCERPT_LENGTH = 160
HISTORY_ACTIONS = (Action.HIDE, Action.WARN, Action.SUSPEND)
# Filters of the case list: value of the `queue` parameter -> label and condition.
QUEUES = {
    "open": (pgettext_lazy("cases", "open"), Q(status=CaseStatus.OPEN)),
    "appealed": (_("appealed"), Q(status=CaseStatus.OPEN, is_appealed=True)),
    "pending": (_("hidden pending review"), Q(hidden_state=HiddenState.PENDING)),
    "hidden": (_("hidden"), Q(hidden_state__in=[HiddenState.PENDING, HiddenState.HIDDEN])),
    "closed": (_("decided"), Q(status=CaseStatus.CLOSED)),
    "deleted": (_("deleted"), Q(status=CaseStatus.DELETED)),
    "all": (pgettext_lazy("cases", "all"), Q()),
}


class CaseChangeList(IndexOrderedChangeList):
    """Change list that loads the texts, the reports and the authors' history of all cases on a page."""

    def get_results(self, request: HttpRequest) -> None:
        """Return the rows of the page with what the columns show."""
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        attach_texts(self.result_list)
        attach_reasons(self.result_list)
        attach_history(self.result_list)


def attach_texts(cases: Iterable[Case], *, max_length: int = EXCERPT_LENGTH) -> None:
    """Set `excerpt` on each case: the beginning of its text, if any.

    Private content of a club is only shown while a report of it is pending.
    """
    by_type: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_type[case.target_type].append(case)
    for target_type, group in by_type.items():
        target = report_targets.get(target_type)
        shown = [case.target_id for case in group if target and (case.reports_count or not target.is_private_content)]
        texts = target.texts(shown) if target and shown else {}
        for case in group:
            text = texts.get(case.target_id, "").strip()
            case.excerpt = Truncator(text).chars(max_length)  # type: ignore[attr-defined]


def attach_reasons(cases: Sequence[Case]) -> None:
    """Set `reasons` on each case: the reasons of its pending reports with their numbers, most severe first."""
    pending = Report.objects.pending().filter(case__in=cases).order_by()
    by_case: dict[int, list[tuple[Reason, int]]] = defaultdict(list)
    for pk, reason, count in pending.values_list("case", "reason").annotate(n=Count("pk")):
        by_case[pk].append((Reason(reason), count))
    for case in cases:
        found = sorted(by_case[case.pk], key=lambda pair: (-SEVERITY[pair[0]], pair[0]))
        case.reasons = [(str(reason.label), count) for reason, count in found]  # type: ignore[attr-defined]


def attach_history(cases: Sequence[Case]) -> None:
    """Set `history` on each case: the number of decisions against its author by action, without undone ones."""
    authors = {case.author_id for case in cases if case.author_id}
    decisions = Decision.objects.filter(subject__in=authors, action__in=HISTORY_ACTIONS, undone_by=None).order_by()
    by_author: dict[int | None, dict[str, int]] = defaultdict(dict)
    for author, action, count in decisions.values_list("subject", "action").annotate(n=Count("pk")):
        by_author[author][action] = count
    for case in cases:
        case.history = by_author.get(case.author_id, {})  # type: ignore[attr-defined]


def get_next_case(cases: Sequence[Any], case: Case, *, by: User) -> Case | None:
    """Return the case after `case` in a page of the queue that `by` may decide; at the end, begin again.

    Cases that another moderator is viewing come last.
    """
    own_decisions = set(
        Appeal.objects.pending().filter(case__in=cases, decision__by=by).values_list("case_id", flat=True)
    )
    position = next((n for n, row in enumerate(cases) if row.pk == case.pk), -1)
    candidates = [
        row
        for row in [*cases[position + 1 :], *cases[: max(position, 0)]]
        if row.pk != case.pk and row.author_id != by.pk and row.pk not in own_decisions
    ]
    return min(candidates, key=lambda row: bool(row.other_views), default=None)
