"""Data of the moderation pages, each in a constant number of queries."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from bookbridge.api.admin import Panel, counted
from bookbridge.api.registry import report_targets
from moderation.models import Case, Concealed, Decision, Opening, State
from moderation.reasons import HARM, Action, Reason
from moderation.targets import About, Context

# How long a moderator counts as viewing a case after opening it.
LOOKING = datetime.timedelta(minutes=15)
MOST_SHOWN = 50
HISTORY = (Action.HIDE, Action.WARN, Action.SUSPEND)


@dataclass(frozen=True)
class History:
    """Decisions against an author: counts by action, and the latest ones."""

    counts: dict[str, int]
    cases: int
    decisions: list[Decision]


def history_of(author: User) -> History:
    """Return the moderation history of a user. Undone decisions are listed but not counted."""
    about = Decision.objects.filter(subject=author)
    standing = Count("pk", filter=Q(undone_by=None), distinct=True)
    counts = dict(about.filter(action__in=HISTORY).order_by().values_list("action").annotate(n=standing))
    last = about.select_related("case").prefetch_related("undone_by").order_by("-id")[:10]
    cases = Case.objects.filter(author=author).count()
    return History({action.value: counts.get(action.value, 0) for action in HISTORY}, cases, list(last))


def context_of(case: Case) -> tuple[About | None, Context | None]:
    """Return the current snapshot and context of the reported object, or `(None, None)` if it is deleted."""
    target = report_targets.get(case.target_type)
    row = target.find(case.target_id) if target else None
    return (target.about(row), target.context(row)) if target and row is not None else (None, None)


def shown_of(case: Case, *, by: User) -> dict[str, Any]:
    """Return the template context of the case page, without the forms."""
    about, context = context_of(case)
    last = case.last_decision
    return {
        "case": case,
        "heading": heading(case),
        "about": about,
        "found": context,
        "waiting": waiting_by_reason(case),
        "reports": list(case.reports.select_related("reporter").order_by("-id")[:MOST_SHOWN]),
        "decisions": list(
            Decision.objects.filter(case=case).prefetch_related("undone_by").order_by("-id")[:MOST_SHOWN]
        ),
        "appeals": list(case.appeals.select_related("decision", "author").order_by("-id")[:MOST_SHOWN]),
        "last": last,
        "history": history_of(case.author) if case.author else None,
        "looking": list(looking_at().filter(case=case).exclude(by=by).order_by("by_name", "-at")),
    }


def waiting_by_reason(case: Case) -> list[tuple[str, int]]:
    """Return the number of pending reports by reason, most severe first.

    The list of reports is truncated, so the page needs these totals.
    """
    found = dict(case.reports.waiting().order_by().values_list("reason").annotate(n=Count("pk")))
    worst = sorted(found, key=lambda reason: -HARM[Reason(reason)])
    return [(str(Reason(reason).label), found[reason]) for reason in worst]


def heading(case: Case) -> str:
    """Return the type and id of the object, with its title unless it is private content."""
    target = report_targets.get(case.target_type)
    return str(case) if target is None or target.is_talk else f"{case}: {case.title}"


def looking_at() -> Any:
    """Return the recent case views."""
    return Opening.objects.filter(at__gt=timezone.now() - LOOKING)


def beside(by: User) -> Prefetch[Any]:
    """Prefetch recent views by other moderators into `looking`."""
    return Prefetch("openings", looking_at().exclude(by=by).order_by("-at"), to_attr="looking")


def panel(request: HttpRequest) -> Panel | None:
    """Return the dashboard panel with the number of open cases, appeals and hidden content."""
    if not request.user.has_perm("moderation.view_case"):
        return None
    queue = reverse("admin:moderation_case_changelist")
    opened = Case.objects.open()
    oldest = opened.order_by("opened_at").values_list("opened_at", flat=True).first()
    hidden = Case.objects.filter(QUEUES["hidden"][1])
    rows = [
        (_("open cases"), counted(opened), queue),
        (_("oldest waiting for"), timesince(oldest) if oldest else "—", f"{queue}?o=6"),
        (_("pending appeals"), counted(opened.filter(is_appealed=True)), f"{queue}?queue=appealed"),
        (_("hidden content"), counted(hidden), f"{queue}?queue=hidden"),
    ]
    return Panel(_("Moderation"), rows)


QUEUES = {
    "open": (pgettext_lazy("cases", "open"), Q(state=State.OPEN)),
    "appealed": (_("appealed"), Q(state=State.OPEN, is_appealed=True)),
    "pending": (_("hidden pending review"), Q(concealed=Concealed.PENDING)),
    "hidden": (_("hidden"), Q(concealed__in=[Concealed.PENDING, Concealed.HIDDEN])),
    "closed": (_("decided"), Q(state=State.CLOSED)),
    "gone": (_("deleted"), Q(state=State.GONE)),
    "all": (pgettext_lazy("cases", "all"), Q()),
}
