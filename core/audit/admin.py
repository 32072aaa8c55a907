"""Read-only admin for the audit log, with search and CSV export."""

import ipaddress
import json
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList

from core.admin.changelist import IndexOrderedChangeList
from core.admin.filters import DateTimeRangeFilter, parse_id
from core.admin.log_admin import ActorFilter, LogModelAdmin, VerbFilter, resolve_account_id
from core.audit.models import USER_MODEL_LABEL, AuditEntry, Outcome


class AuditVerbFilter(VerbFilter):
    """Filter by the verbs in the log, which are cached for five minutes."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        verbs = cache.get("audit:verbs")
        if verbs is None:
            verbs = list(AuditEntry.objects.order_by("verb").values_list("verb", flat=True).distinct()[:300])
            cache.set("audit:verbs", verbs, 300)
        return [(verb, verb) for verb in verbs]


class AuditEntryChangeList(IndexOrderedChangeList):
    """Change list that loads the usernames of all entries on a page in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        attach_usernames(self.result_list)


def attach_usernames(entries: list[Any]) -> None:
    """Set `names` on each entry: the current usernames of the accounts that acted or were acted upon."""
    ids = {entry.actor for entry in entries} | {
        entry.target_id for entry in entries if entry.target_type == USER_MODEL_LABEL
    }
    names = dict(get_user_model().objects.filter(pk__in=ids - {None}).values_list("pk", "username"))
    for entry in entries:
        entry.names = names


@admin.register(AuditEntry)
class AuditEntryAdmin(LogModelAdmin):
    """Read-only admin for audit entries."""

    list_display = ("id", "created_at", "verb", "actor_link", "target_link", "outcome_badge", "reason", "ip_address")
    list_filter = (
        AuditVerbFilter,
        ("outcome", admin.ChoicesFieldListFilter),
        ActorFilter,
        ("created_at", DateTimeRangeFilter),
    )
    search_help_text = _("Username, IP address or reviews.review:7")
    fields = (
        *("created_at", "verb", "outcome", "actor_link", "target_link", "reason", "detail", "changes_display"),
        *("ip_address", "user_agent", "request_id"),
    )
    readonly_fields = fields
    export_fields = (
        *("id", "created_at", "verb", "outcome", "actor", "actor_name", "target_type", "target_id", "target_title"),
        *("reason", "detail", "changes", "ip_address", "user_agent", "request_id"),
    )
    file_name, export_verb = "audit-log", "audit.exported"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AuditEntryChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        attach_usernames([entry] if entry else [])
        return entry

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by IP address, by object (`reviews.review:7`), or by an account that acted or was acted upon."""
        term = search_term.strip()
        kind, _colon, number = term.rpartition(":")
        if not term:
            return queryset, False
        if _is_address(term):
            return queryset.filter(ip_address=term), False
        if kind and parse_id(number) is not None:
            return queryset.filter(target_type=kind.lower(), target_id=parse_id(number)), False
        account = resolve_account_id(term)
        return queryset.filter(Q(actor=account) | Q(target_type=USER_MODEL_LABEL, target_id=account)), False

    @admin.display(description=_("actor"))
    def actor_link(self, entry: Any) -> SafeString | str:
        if entry.actor is None:
            return "-"
        name = entry.names.get(entry.actor)
        shown = entry.actor_name or name or f"#{entry.actor}"
        return _link(USER_MODEL_LABEL, entry.actor, shown) if name else shown

    @admin.display(description=_("target"))
    def target_link(self, entry: Any) -> SafeString | str:
        if not entry.target_type:
            return "-"
        if entry.target_id is None:
            return str(entry.target_type)
        name = entry.names.get(entry.target_id) if entry.target_type == USER_MODEL_LABEL else ""
        shown = name or entry.target_title or f"{entry.target_type} {entry.target_id}"
        return _link(entry.target_type, entry.target_id, shown)

    @display(description=_("outcome"), label={Outcome.DONE: "success", Outcome.REFUSED: "danger"})  # type: ignore[untyped-decorator]
    def outcome_badge(self, entry: AuditEntry) -> tuple[str, str]:
        return entry.outcome, entry.get_outcome_display()

    @admin.display(description=_("changes"))
    def changes_display(self, entry: AuditEntry) -> SafeString:
        rows = ((name, _shown(before), _shown(after)) for name, (before, after) in entry.changes.items())
        return format_html_join("", "<p><b>{}</b>: <del>{}</del> → <ins>{}</ins></p>", rows)

    def get_export_value(self, row: Any, name: str) -> Any:
        """Export changes as JSON."""
        value = super().get_export_value(row, name)
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False) if value else ""
        return value


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _link(label: str, number: int, text: str) -> SafeString | str:
    try:
        address = reverse(f"admin:{label.replace('.', '_')}_change", args=[number])
    except NoReverseMatch:
        return text
    return format_html('<a class="underline" href="{}">{}</a>', address, text)


def _shown(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
