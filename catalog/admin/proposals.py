"""Admin for proposed editions: the queue of the catalog's editors."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.authentication import current_user
from catalog.isbn import find_isbn
from catalog.models import ProposedEdition
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import filter_by_username_prefix
from core.api.exceptions import Conflict


@admin.register(ProposedEdition)
class ProposedEditionAdmin(ReadOnlyModelAdmin):
    """Proposed editions, oldest first. Staff who may change books accept and reject them."""

    list_display = ("isbn13", "title", "book", "language", "publisher", "published_year", "proposed_by", "created_at")
    list_prefetch_related = ("book", "proposed_by")
    fields = (*list_display, "format", "page_count")
    ordering = ("id",)
    actions = ("accept_selected", "reject_selected")
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    search_help_text = _("An ISBN, or the beginning of a username")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = find_isbn(search_term)
        if found:
            return queryset.filter(isbn13=found[0]), False
        return filter_by_username_prefix(queryset, "proposed_by", search_term), False

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.change_book")

    @admin.action(description=_("Accept"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[ProposedEdition]) -> None:
        self._decide(request, queryset, ProposedEdition.accept)

    @admin.action(description=_("Reject"), permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[ProposedEdition]) -> None:
        self._decide(request, queryset, ProposedEdition.reject)

    def _decide(self, request: HttpRequest, queryset: QuerySet[ProposedEdition], decide: Callable[..., object]) -> None:
        """Apply a decision to each proposal, each in its own transaction, and report the ones that failed."""
        done = 0
        for proposal in queryset.select_related("book", "proposed_by"):
            try:
                decide(proposal, by=current_user(request))
                done += 1
            except Conflict as conflict:
                self.message_user(request, f"{proposal.isbn13}: {conflict.detail}", messages.ERROR)
        text = ngettext("%(count)d proposal was decided.", "%(count)d proposals were decided.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS if done else messages.WARNING)
