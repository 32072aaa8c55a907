"""Admin of memberships and invitations."""

from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from clubs.admin_redaction import redacted_column
from clubs.members.models import Invitation, InvitationQuerySet, Membership
from clubs.roles import MembershipStatus
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import filter_by_username_prefix, parse_id


class ClubUserAdmin(ReadOnlyModelAdmin):
    """Base class for rows of a club, searchable by club id or username prefix."""

    user_field = "user"
    # Used by the links on a club's page.
    extra_allowed_lookups = ("club__id__exact",)
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("club__id",)
    search_help_text = _("A club id, or the beginning of a username")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search one column at a time, because no index covers both."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = parse_id(term)
        if number is not None:
            return queryset.filter(club=number), False
        return filter_by_username_prefix(queryset, self.user_field, term), False

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("clubs.change_club")


@admin.register(Membership)
class MembershipAdmin(ClubUserAdmin):
    """Memberships of all statuses. Staff may remove and ban members."""

    list_display = ("id", "club", "user", "role_display", "status", "joined_at", "updated_at")
    list_filter = ("status",)
    list_prefetch_related = ("club", "user")
    fields = (
        "club",
        "user",
        "role_display",
        "status",
        "joined_at",
        redacted_column(Membership, "message"),
        "updated_at",
    )
    readonly_fields = ("role_display",)
    actions = ("remove", "ban")

    @admin.display(description=_("role"))
    def role_display(self, row: Membership) -> str:
        return gettext(row.effective_role)

    @admin.action(description=_("Remove selected members from their clubs"), permissions=["manage"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._for_each(request, queryset, lambda row: row.remove(by=None))

    @admin.action(description=_("Ban selected members from their clubs"), permissions=["manage"])
    def ban(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._for_each(request, queryset, lambda row: row.update_membership(by=None, status=MembershipStatus.BANNED))

    def _for_each(self, request: HttpRequest, queryset: QuerySet[Membership], action: Any) -> None:
        for row in Membership.objects.filter(pk__in=queryset.values("pk")).select_related("club", "user"):
            try:
                action(row)
            except Http404:
                continue  # Already removed.
            except APIException as error:
                self.message_user(request, f"{row.user}, {row.club}: {error.detail}", messages.ERROR)


@admin.register(Invitation)
class InvitationAdmin(ClubUserAdmin):
    """Invitations. Only a digest of the code is stored, and it is not shown."""

    list_display = ("id", "club", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_prefetch_related = ("club", "created_by")
    user_field = "created_by"
    fields = ("club", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke selected invitations"), permissions=["manage"])
    def revoke(self, request: HttpRequest, queryset: InvitationQuerySet) -> None:
        for invitation in queryset.not_revoked():
            with suppress(Http404):  # Already revoked.
                invitation.revoke(by=None)
