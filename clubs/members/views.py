"""Views of members and invitations."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from clubs.access import AccessLevel, ClubAccessMixin, require_level
from clubs.members.bulk import apply_to_members
from clubs.members.filters import MemberFilter
from clubs.members.models import Invitation, Membership, MembershipQuerySet
from clubs.members.responses import NOT_ABOVE_RESPONSE, joined_response
from clubs.members.serializers import (
    BulkActionSerializer,
    BulkResultSerializer,
    InvitationAcceptSerializer,
    InvitationCreateSerializer,
    InvitationPreviewSerializer,
    InvitationSerializer,
    MemberSerializer,
    MemberUpdateSerializer,
    OwnMembershipSerializer,
    PauseSerializer,
)
from clubs.roles import MembershipStatus, Rank
from core.api.exceptions import InvalidParameter
from core.api.responses import NO_CONTENT, problem_schema
from core.api.schema import NEW_OBJECT_HEADERS
from core.api.throttling import InviteRateThrottle
from core.api.views import ActionView, GenericAPIView, GenericViewSet, validate


@extend_schema_view(
    list=extend_schema(
        summary="List the members of a club",
        description="Active members by date of joining. Moderators may list join requests and bans by `status`, and "
        "members without visible activity for some days by `inactive_days`.",
    ),
    retrieve=extend_schema(summary="Get a member", description="Moderators also see join requests and banned users."),
    partial_update=extend_schema(
        summary="Approve or ban a user, or change a role",
        description="Moderators approve and ban, only the owner changes roles.",
        request=MemberUpdateSerializer,
        responses={
            200: MemberSerializer,
            **problem_schema(409, "`club_full`, `not_pending`, `not_a_member`."),
            **NOT_ABOVE_RESPONSE,
        },
    ),
    destroy=extend_schema(
        summary="Reject a request, remove a member or lift a ban",
        description="Which of these depends on the status of the membership. Moderators only.",
        responses={204: NO_CONTENT, **NOT_ABOVE_RESPONSE},
    ),
)
class MemberViewSet(
    ClubAccessMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """Members of a club, identified by their user id."""

    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    filterset_class = MemberFilter
    queryset = Membership.objects.none()
    lookup_field = "user_id"
    ordering_fields: ClassVar = {"joined_at": ("joined_at", "id")}
    access_levels = {
        "list": AccessLevel.MEMBER,
        "retrieve": AccessLevel.MEMBER,
        "partial_update": AccessLevel.MODERATOR,
        "destroy": AccessLevel.MODERATOR,
        "bulk": AccessLevel.MODERATOR,
    }

    def get_serializer_context(self) -> dict[str, Any]:
        """Add whether the caller may see what moderators see."""
        may_see_all = not getattr(self, "swagger_fake_view", False) and self._moderates
        return {**super().get_serializer_context(), "is_moderator": may_see_all}

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return MemberUpdateSerializer if self.action == "partial_update" else MemberSerializer

    def get_queryset(self) -> MembershipQuerySet:
        """Return active members who have no block with the user; moderators see other statuses as well.

        `partial_update` also finds former members, who can still be banned. Blocks do not limit moderators.
        """
        rows = self.club.memberships.select_related("user")
        if self.action == "partial_update":
            return rows
        return rows.exclude_left() if self._moderates else rows.active().not_blocked_for(current_user(self.request))

    def lock_object(self, obj: object) -> None:
        """Lock the same rows as the write, in the same order."""
        self.club.lock(with_user=cast(Membership, obj).user)
        del self.club

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """List only active members by default. Other statuses are for moderators.

        With an explicit `status`, blocks do not apply: blocking a moderator does not hide a user from them.
        """
        if self.action != "list":
            return queryset
        members = cast(MembershipQuerySet, super().filter_queryset(queryset))
        if "inactive_days" in self.request.query_params and not self._moderates:
            detail = _("Only the club's moderators may use this filter.")
            raise InvalidParameter([{"field": "inactive_days", "code": "moderators_only", "detail": detail}])
        requested = self.request.query_params.get("status")
        if not requested:
            return members.filter(status=MembershipStatus.ACTIVE).not_blocked_for(current_user(self.request))
        if requested != MembershipStatus.ACTIVE:
            require_level(self.club, AccessLevel.MODERATOR)
        return members.filter(status=requested)

    @property
    def _moderates(self) -> bool:
        return bool(self.club.my_rank >= Rank.MODERATOR)

    def perform_update(self, serializer: BaseSerializer[Membership]) -> None:
        cast(Membership, serializer.instance).update_membership(
            by=current_user(self.request), **serializer.validated_data
        )

    def perform_destroy(self, instance: Membership) -> None:
        instance.remove(by=current_user(self.request))

    @extend_schema(
        summary="Approve, refuse, remove or pause several users",
        request=BulkActionSerializer,
        responses={200: BulkResultSerializer},
    )
    @action(detail=False, methods=["post"], responds_with_object=False)
    def bulk(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Each user is handled by the rules of the single action. Those who are refused are listed with the code."""
        result = apply_to_members(
            self.club, by=current_user(request), **validate(BulkActionSerializer(data=request.data))
        )
        return Response(BulkResultSerializer(result).data)


class PauseMixin(ClubAccessMixin):
    """Set and end the pause of one membership."""

    serializer_class: Any = PauseSerializer

    def get_user_id(self) -> int:
        """Return the id of the member."""
        raise NotImplementedError

    def get_unlocked_object(self) -> Membership:
        """Return the membership. Raises Http404 unless the user is a member."""
        members: Any = self.club.memberships.active().select_related("user")
        return get_object_or_404(members, user=self.get_user_id())

    def lock_object(self, obj: Any) -> None:
        """Lock the same rows as the write, in the same order."""
        self.club.lock(with_user=obj.user)
        del self.club

    def get_data(self, obj: Membership) -> Mapping[str, Any]:
        return PauseSerializer(obj.pause).data

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        view: Any = self
        membership: Membership = view.get_object()
        values = validate(PauseSerializer(data=request.data))
        membership.set_pause(by=current_user(request), until=values["until"])
        return Response(self.get_data(membership))

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        view: Any = self
        view.get_object().end_pause(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    put=extend_schema(
        summary="Pause your membership",
        description="Until the end of a day in the club's time zone, or until you end it. Paused members see, write, "
        "vote and come to meetings as before, but do not count in quorums and means, and get no e-mails about "
        "meetings, ballots and milestones. A pause that is changed keeps its beginning.",
    ),
    delete=extend_schema(
        summary="End your pause",
        description="Also one that a moderator has set. Idempotent.",
        responses={204: NO_CONTENT},
    ),
)
class OwnPauseView(PauseMixin, GenericAPIView):
    """The pause of the caller's own membership."""

    access_levels = dict.fromkeys(("get", "put", "delete"), AccessLevel.MEMBER)

    def get_user_id(self) -> int:
        return current_user(self.request).pk

    @extend_schema(summary="Get your pause")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Nulls if the membership is not paused."""
        return Response(self.get_data(self.get_object()))


@extend_schema_view(
    put=extend_schema(
        summary="Pause a membership",
        description="For a member who has been silent. They are notified; the pause also ends when they answer, mark "
        "their progress, vote or post. Moderators only.",
        responses={200: PauseSerializer, **NOT_ABOVE_RESPONSE},
    ),
    delete=extend_schema(
        summary="End the pause of a member",
        description="Also one that the member has set. Idempotent. Moderators only.",
        responses={204: NO_CONTENT, **NOT_ABOVE_RESPONSE},
    ),
)
class MemberPauseView(PauseMixin, GenericAPIView):
    """The pause of another member, who is in the path by their user id."""

    # There is no GET of it.
    responds_with_object = False
    access_levels = dict.fromkeys(("put", "delete"), AccessLevel.MODERATOR)

    def get_user_id(self) -> int:
        return int(self.kwargs["user_id"])


@extend_schema_view(
    list=extend_schema(
        summary="List invitations",
        description="Invitations that were not revoked, without their codes. Moderators only.",
    ),
    create=extend_schema(
        summary="Create an invitation",
        description="The response contains the code, which is not shown again. Moderators only.",
        responses={201: InvitationCreateSerializer},
    ),
    destroy=extend_schema(
        summary="Revoke an invitation", description="The code can no longer be used. Moderators only."
    ),
)
class InvitationViewSet(
    ClubAccessMixin, mixins.ListModelMixin, mixins.CreateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """Invitations to a club."""

    queryset = Invitation.objects.none()
    # The response has the code, which no later one has.
    responds_with_object = False
    lookup_url_kwarg = "invitation_id"
    access_levels = {"list": AccessLevel.MODERATOR, "create": AccessLevel.MODERATOR, "destroy": AccessLevel.MODERATOR}

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return InvitationCreateSerializer if self.action == "create" else InvitationSerializer

    def get_queryset(self) -> QuerySet[Invitation]:
        return self.club.invitations.not_revoked().select_related("created_by")

    def perform_create(self, serializer: BaseSerializer[Invitation]) -> None:
        invitation, code = Invitation.create_with_code(
            self.club, by=current_user(self.request), **serializer.validated_data
        )
        invitation.code = code  # type: ignore[attr-defined]  # only for this response
        serializer.instance = invitation

    def get_success_headers(self, data: Any) -> dict[str, str]:
        """Omit DRF's Location header, which would contain the code and may be logged by proxies."""
        return {}

    def perform_destroy(self, instance: Invitation) -> None:
        instance.revoke(by=current_user(self.request))


@extend_schema(
    summary="Look at an invitation",
    description="What the caller would join, before an account exists or the invitation is accepted.",
    responses={
        200: InvitationPreviewSerializer,
        **problem_schema(404, "The code is invalid, expired, revoked or used up, or the caller is banned."),
    },
)
class InvitationPreviewView(ActionView):
    """Look at an invitation."""

    serializer_class = InvitationAcceptSerializer
    permission_classes = [AllowAny]
    throttle_classes = [InviteRateThrottle, *ActionView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        invitation = Invitation.objects.preview(data["code"], user=request.user)
        return Response(InvitationPreviewSerializer(invitation, context=self.get_serializer_context()).data)


@extend_schema(
    summary="Accept an invitation",
    description="The caller becomes a member immediately.",
    parameters=NEW_OBJECT_HEADERS,
    responses={
        201: OwnMembershipSerializer,
        **problem_schema(404, "The code is invalid, expired, revoked or used up, or the caller is banned."),
        **problem_schema(409, "`already_member` (no use spent), `club_full`."),
    },
)
class InvitationAcceptView(ActionView):
    """Accept an invitation."""

    serializer_class = InvitationAcceptSerializer
    throttle_classes = [InviteRateThrottle, *ActionView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        row = Invitation.objects.accept(data["code"], user=current_user(request))
        return joined_response(row, request, self.get_serializer_context())
