"""Admin of memberships and invitations."""

from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from bookbridge.api.admin import LookingAdmin, id_in, of_people
from clubs.members.invitations import Invitation, InvitationQuerySet
from clubs.members.models import Membership
from clubs.roles import Status
from clubs.shown import said


class InClubAdmin(LookingAdmin):
    """Base class for rows of a club, searchable by club id or username prefix."""

    person = "user"
    # Used by the links on a club's page.
    asked_by_links = ("club__id__exact",)
    # Only enables the search box; see `get_search_results`.
    search_fields = ("club__id",)
    search_help_text = _("A club id, or the beginning of a username")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search one column at a time, because no index covers both."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = id_in(term)
        if number is not None:
            return queryset.filter(club=number), False
        return of_people(queryset, self.person, term), False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("clubs.change_club")


@admin.register(Membership)
class MembershipAdmin(InClubAdmin):
    """Memberships of all statuses. Staff may remove and ban members."""

    list_display = ("id", "club", "user", "shown_role", "status", "joined_at", "updated_at")
    list_filter = ("status",)
    beside = ("club", "user")
    fields = ("club", "user", "shown_role", "status", "joined_at", said(Membership, "message"), "updated_at")
    readonly_fields = ("shown_role",)
    actions = ("remove", "ban")

    @admin.display(description=_("role"))
    def shown_role(self, row: Membership) -> str:
        return gettext(row.shown_role)

    @admin.action(description=_("Remove selected members from their clubs"), permissions=["act"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._each(request, queryset, lambda row: row.remove(by=None))

    @admin.action(description=_("Ban selected members from their clubs"), permissions=["act"])
    def ban(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._each(request, queryset, lambda row: row.change(by=None, status=Status.BANNED))

    def _each(self, request: HttpRequest, queryset: QuerySet[Membership], act: Any) -> None:
        for row in Membership.objects.filter(pk__in=queryset.values("pk")).select_related("club", "user"):
            try:
                act(row)
            except Http404:
                continue  # Already removed.
            except APIException as refused:
                self.message_user(request, f"{row.user}, {row.club}: {refused.detail}", messages.ERROR)


@admin.register(Invitation)
class InvitationAdmin(InClubAdmin):
    """Invitations. Only a digest of the code is stored, and it is not shown."""

    list_display = ("id", "club", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    beside = ("club", "created_by")
    person = "created_by"
    fields = ("club", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke selected invitations"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: InvitationQuerySet) -> None:
        for invitation in queryset.standing():
            with suppress(Http404):  # Already revoked.
                invitation.revoke(by=None)
