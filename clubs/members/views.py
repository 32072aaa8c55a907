"""Members and invitations over HTTP (api.md, section 3)."""

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

NOT_ABOVE = problem(403, "`not_above`: their rank is not below one's own.")


@extend_schema_view(
    list=extend_schema(summary="Who is in a club; for moderators also who asks and who is banned"),
    retrieve=extend_schema(summary="One member"),
    partial_update=extend_schema(
        summary="Approve, ban, or give a role",
        request=MemberChangeSerializer,
        responses={200: MemberSerializer, **problem(409, "`club_full`, `not_pending`, `not_a_member`."), **NOT_ABOVE},
    ),
    destroy=extend_schema(
        summary="Refuse a request, remove a member, or lift a ban", responses={204: None, **NOT_ABOVE}
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
    """Who is in a club. A member is found by their user id."""

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
        """The answers are alike; what is taken in is not."""
        return MemberChangeSerializer if self.action == "partial_update" else MemberSerializer

    def get_queryset(self) -> MembershipQuerySet:
        """Members see who is in, but for those whom a block hides from them.

        Moderators act on whoever asks or is banned too, and ban also who has left; no block keeps them from that.
        """
        rows = self.club.memberships.select_related("user")
        if self.action == "partial_update":
            return rows
        return rows.known() if self._moderates else rows.active().shown_to(caller(self.request))

    def lock(self, obj: object) -> None:
        """For a conditional write: what the write below locks, in the same order."""
        self.club.lock(with_user=cast(Membership, obj).user)
        del self.club

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The active ones where nothing else is asked for, which only moderators may.

        To them a `status` shows whom a block hides too: nobody gets away from moderators by blocking them.
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
        """As the model says."""
        cast(Membership, serializer.instance).change(by=caller(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Membership) -> None:
        """As the model says."""
        instance.remove(by=caller(self.request))


@extend_schema_view(
    list=extend_schema(summary="A club's invitations that were not revoked"),
    create=extend_schema(summary="Invite readers", responses={201: NewInvitationSerializer}),
    destroy=extend_schema(summary="Revoke an invitation"),
)
class InvitationViewSet(
    ClubScoped, mixins.ListModelMixin, mixins.CreateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """The invitations of a club."""

    queryset = Invitation.objects.none()
    lookup_url_kwarg = "invitation_id"
    levels = {"list": Level.MODERATOR, "create": Level.MODERATOR, "destroy": Level.MODERATOR}

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """The code is told once."""
        return NewInvitationSerializer if self.action == "create" else InvitationSerializer

    def get_queryset(self) -> QuerySet[Invitation]:
        """Those nobody has revoked."""
        return self.club.invitations.standing().select_related("created_by")

    def perform_create(self, serializer: BaseSerializer[Invitation]) -> None:
        """As the model says."""
        invitation, code = Invitation.issue(self.club, by=caller(self.request), **serializer.validated_data)
        invitation.code = code  # type: ignore[attr-defined]  # for this answer alone
        serializer.instance = invitation

    def get_success_headers(self, data: Any) -> dict[str, str]:
        """None: DRF would put `url`, and the code in it, into a Location header, which proxies may log."""
        return {}

    def perform_destroy(self, instance: Invitation) -> None:
        """As the model says."""
        instance.revoke(by=caller(self.request))


@extend_schema(
    summary="Accept an invitation",
    description="The caller is in at once.",
    responses={
        201: JoinedSerializer,
        **problem(404, "Whatever is wrong with the code, or the caller is banned."),
        **problem(409, "`already_member` (no use spent), `club_full`."),
    },
)
class AcceptView(FormView):
    """Come into a club by an invitation."""

    serializer_class = AcceptSerializer
    throttle_classes = [InviteThrottle, *FormView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        """As the model says."""
        row = Invitation.objects.accept(data["code"], user=caller(request))
        answer = JoinedSerializer(row, context=self.get_serializer_context())
        return Response(answer.data, status=status.HTTP_201_CREATED)
