"""Members and invitations in the admin."""

from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from bookbridge.api.admin.base import LookingAdmin
from bookbridge.api.admin.filters import id_in, of_people
from clubs.members.invitations import Invitation, InvitationQuerySet
from clubs.members.models import Membership
from clubs.roles import Status
from clubs.shown import said


class InClubAdmin(LookingAdmin):
    """Rows of a club: found by its id, or by the beginning of a username."""

    person = "user"
    # As the links on a club's page ask.
    asked_by_links = ("club__id__exact",)
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("club__id",)
    search_help_text = _("A club's id, or the beginning of a username")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """One or the other: a database finds no index for both at once."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = id_in(term)
        if number is not None:
            return queryset.filter(club=number), False
        return of_people(queryset, self.person, term), False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may change clubs here."""
        return request.user.has_perm("clubs.change_club")


@admin.register(Membership)
class MembershipAdmin(InClubAdmin):
    """Who is, was, or asks to be in which club."""

    list_display = ("id", "club", "user", "shown_role", "status", "joined_at", "updated_at")
    list_filter = ("status",)
    beside = ("club", "user")
    fields = ("club", "user", "shown_role", "status", "joined_at", said(Membership, "message"), "updated_at")
    readonly_fields = ("shown_role",)
    actions = ("remove", "ban")

    @admin.display(description=_("role"))
    def shown_role(self, row: Membership) -> str:
        """An owner's too."""
        return gettext(row.shown_role)

    @admin.action(description=_("Remove them from their clubs"), permissions=["act"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """As the model says; an owner stays."""
        self._each(request, queryset, lambda row: row.remove(by=None))

    @admin.action(description=_("Ban them from their clubs"), permissions=["act"])
    def ban(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """As the model says; an owner stays."""
        self._each(request, queryset, lambda row: row.change(by=None, status=Status.BANNED))

    def _each(self, request: HttpRequest, queryset: QuerySet[Membership], act: Any) -> None:
        for row in Membership.objects.filter(pk__in=queryset.values("pk")).select_related("club", "user"):
            try:
                act(row)
            except Http404:
                continue  # They are out already.
            except APIException as refused:
                self.message_user(request, f"{row.user}, {row.club}: {refused.detail}", messages.ERROR)


@admin.register(Invitation)
class InvitationAdmin(InClubAdmin):
    """Invitations; nobody can read a code here, for only its digest is kept, which is not shown either."""

    list_display = ("id", "club", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    beside = ("club", "created_by")
    person = "created_by"
    fields = ("club", "created_by", "created_at", "expires_at", "uses", "max_uses", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke these invitations"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: InvitationQuerySet) -> None:
        """Nobody comes in by them any more."""
        for invitation in queryset.standing():
            with suppress(Http404):  # Somebody else was quicker.
                invitation.revoke(by=None)
