"""Panel of moderation on the admin's dashboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin.changelist import count_up_to
from core.admin.dashboard import MAX_COUNTED, Panel, format_capped
from moderation.models import Case
from moderation.queue import QUEUES


def moderation_panel(request: HttpRequest) -> Panel | None:
    """Return the dashboard panel with the number of open cases, appeals and hidden content."""
    if not request.user.has_perm("moderation.view_case"):
        return None
    queue = reverse("admin:moderation_case_changelist")
    open_cases = Case.objects.open()
    oldest = open_cases.order_by("opened_at").values_list("opened_at", flat=True).first()
    hidden = Case.objects.filter(QUEUES["hidden"][1])
    appeals = count_up_to(open_cases.filter(is_appealed=True), MAX_COUNTED)
    open_count, hidden_count = count_up_to(open_cases, MAX_COUNTED), count_up_to(hidden, MAX_COUNTED)
    rows: list[tuple[str | Promise, Any, str]] = [
        (ngettext("open case", "open cases", open_count), format_capped(open_count), queue),
        (_("oldest waiting for"), timesince(oldest) if oldest else "—", f"{queue}?o=6"),
        (ngettext("appeal waiting", "appeals waiting", appeals), format_capped(appeals), f"{queue}?queue=appealed"),
        (ngettext("hidden text", "hidden texts", hidden_count), format_capped(hidden_count), f"{queue}?queue=hidden"),
    ]
    return Panel(_("Moderation"), rows)
