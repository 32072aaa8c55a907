"""Views of members and invitations (api.md, section 3)."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import caller
from bookbridge.api.responses import problem
from bookbridge.api.throttling import InviteThrottle
from bookbridge.api.views import FormView, GenericViewSet
from clubs.access import ClubScoped, Level, require
from clubs.members.filters import MemberFilter
from clubs.members.invitations import Invitation
from clubs.members.models import Membership, MembershipQuerySet
from clubs.members.serializers import (
    AcceptSerializer,
    InvitationSerializer,
    JoinedSerializer,
    MemberChangeSerializer,
    MemberSerializer,
    NewInvitationSerializer,
)
from clubs.roles import Standing, Status

NOT_ABOVE = problem(403, "`not_above`: the user's role is not below the caller's.")


@extend_schema_view(
    list=extend_schema(
        summary="List the members of a club",
        description="Active members by date of joining. Moderators may list join requests and bans by `status`.",
    ),
    retrieve=extend_schema(summary="Get a member", description="Moderators also see join requests and banned users."),
    partial_update=extend_schema(
        summary="Approve or ban a user, or change a role",
        description="Moderators approve and ban, only the owner changes roles.",
        request=MemberChangeSerializer,
        responses={200: MemberSerializer, **problem(409, "`club_full`, `not_pending`, `not_a_member`."), **NOT_ABOVE},
    ),
    destroy=extend_schema(
        summary="Reject a request, remove a member or lift a ban",
        description="Which of these depends on the status of the membership. Moderators only.",
        responses={204: None, **NOT_ABOVE},
    ),
)
class MemberViewSet(
    ClubScoped,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """Members of a club, identified by their user id."""

    http_method_names = ["get", "head", "options", "patch", "delete"]
    filterset_class = MemberFilter
    queryset = Membership.objects.none()
    lookup_field = "user_id"
    orderings: ClassVar = {"joined_at": ("joined_at", "id")}
    levels = {
        "list": Level.MEMBER,
        "retrieve": Level.MEMBER,
        "partial_update": Level.MODERATOR,
        "destroy": Level.MODERATOR,
    }

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return MemberChangeSerializer if self.action == "partial_update" else MemberSerializer

    def get_queryset(self) -> MembershipQuerySet:
        """Return active members who have no block with the user; moderators see other statuses as well.

        `partial_update` also finds former members, who can still be banned. Blocks do not limit moderators.
        """
        rows = self.club.memberships.select_related("user")
        if self.action == "partial_update":
            return rows
        return rows.known() if self._moderates else rows.active().shown_to(caller(self.request))

    def lock(self, obj: object) -> None:
        """Lock the same rows as the write, in the same order."""
        self.club.lock(with_user=cast(Membership, obj).user)
        del self.club

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """List only active members by default. Other statuses are for moderators.

        With an explicit `status`, blocks do not apply: blocking a moderator does not hide a user from them.
        """
        if self.action != "list":
            return queryset
        found = cast(MembershipQuerySet, super().filter_queryset(queryset))
        asked = self.request.query_params.get("status")
        if not asked:
            return found.filter(status=Status.ACTIVE).shown_to(caller(self.request))
        if asked != Status.ACTIVE:
            require(self.club, Level.MODERATOR)
        return found.filter(status=asked)

    @property
    def _moderates(self) -> bool:
        return bool(self.club.my_standing >= Standing.MODERATOR)

    def perform_update(self, serializer: BaseSerializer[Membership]) -> None:
        cast(Membership, serializer.instance).change(by=caller(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Membership) -> None:
        instance.remove(by=caller(self.request))


@extend_schema_view(
    list=extend_schema(
        summary="List invitations",
        description="Invitations that were not revoked, without their codes. Moderators only.",
    ),
    create=extend_schema(
        summary="Create an invitation",
        description="The response contains the code, which is not shown again. Moderators only.",
        responses={201: NewInvitationSerializer},
    ),
    destroy=extend_schema(
        summary="Revoke an invitation", description="The code can no longer be used. Moderators only."
    ),
)
class InvitationViewSet(
    ClubScoped, mixins.ListModelMixin, mixins.CreateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """Invitations to a club."""

    queryset = Invitation.objects.none()
    lookup_url_kwarg = "invitation_id"
    levels = {"list": Level.MODERATOR, "create": Level.MODERATOR, "destroy": Level.MODERATOR}

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return NewInvitationSerializer if self.action == "create" else InvitationSerializer

    def get_queryset(self) -> QuerySet[Invitation]:
        return self.club.invitations.standing().select_related("created_by")

    def perform_create(self, serializer: BaseSerializer[Invitation]) -> None:
        invitation, code = Invitation.issue(self.club, by=caller(self.request), **serializer.validated_data)
        invitation.code = code  # type: ignore[attr-defined]  # only for this response
        serializer.instance = invitation

    def get_success_headers(self, data: Any) -> dict[str, str]:
        """Omit the Location header, which would contain the code and may be logged by proxies."""
        return {}

    def perform_destroy(self, instance: Invitation) -> None:
        instance.revoke(by=caller(self.request))


@extend_schema(
    summary="Accept an invitation",
    description="The caller becomes a member at once.",
    responses={
        201: JoinedSerializer,
        **problem(404, "The code is invalid, expired, revoked or used up, or the caller is banned."),
        **problem(409, "`already_member` (no use spent), `club_full`."),
    },
)
class AcceptView(FormView):
    """Accept an invitation."""

    serializer_class = AcceptSerializer
    throttle_classes = [InviteThrottle, *FormView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        row = Invitation.objects.accept(data["code"], user=caller(request))
        answer = JoinedSerializer(row, context=self.get_serializer_context())
        return Response(answer.data, status=status.HTTP_201_CREATED)
