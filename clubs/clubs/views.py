"""Clubs over HTTP (api.md, section 3)."""

from typing import ClassVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import caller
from bookbridge.api.images import Shape
from bookbridge.api.pagination import SearchPagination
from bookbridge.api.responses import NOTHING, problem
from bookbridge.api.uploads import TOO_LARGE, PictureSerializer, PictureView
from bookbridge.api.views import GenericViewSet, checked
from clubs.access import ClubScoped, Level
from clubs.clubs.cards import cards
from clubs.clubs.filters import ClubFilter
from clubs.clubs.models import COVERS, Club, ClubQuerySet
from clubs.clubs.serializers import ClubSerializer, JoinSerializer, TransferSerializer
from clubs.members.serializers import JoinedSerializer
from clubs.roles import Status

CHANGED = {200: ClubSerializer, **problem(409, "`limit_below_members`.")}


@extend_schema_view(
    list=extend_schema(summary="Public clubs, and the caller's private ones"),
    create=extend_schema(summary="Found a club"),
    retrieve=extend_schema(summary="One club"),
    update=extend_schema(summary="Change a club", responses=CHANGED),
    partial_update=extend_schema(summary="Change some of a club", responses=CHANGED),
    destroy=extend_schema(summary="Dissolve a club"),
)
class ClubViewSet(
    ClubScoped,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    GenericViewSet,
):
    """Clubs: public ones are for everybody to see, private ones for those who are in."""

    lookup_url_kwarg = "club_id"
    serializer_class = ClubSerializer
    filterset_class = ClubFilter
    pagination_class = SearchPagination
    queryset = Club.objects.none()
    parting = ("leave", "transfer")
    orderings: ClassVar = {
        "-members_count": ("-members_count", "-id"),
        "name": ("name_key", "id"),
        "-created_at": ("-created_at", "-id"),
    }
    levels = {
        "retrieve": Level.CARD,
        "update": Level.OWNER,
        "partial_update": Level.OWNER,
        "destroy": Level.OWNER,
        "join": Level.SIGNED_IN,
        "leave": Level.APPLICANT,
        "transfer": Level.OWNER,
    }

    def get_permissions(self) -> list[BasePermission]:
        """The list and the founding are about no club in particular."""
        collection: dict[str, BasePermission] = {"list": AllowAny(), "create": IsAuthenticated()}
        return [collection[self.action]] if self.action in collection else super().get_permissions()

    def clubs(self) -> ClubQuerySet:
        """With what a card shows, in a constant number of queries."""
        return cards(super().clubs(), self.request.user)

    def unsearched(self) -> ClubQuerySet:
        """All clubs."""
        return Club.objects.all()

    def get_queryset(self) -> ClubQuerySet:
        """The clubs the caller may know of."""
        return self.clubs()

    def find_object(self) -> Club:
        """The club of the path, as the access check has read it."""
        return self.club

    def perform_create(self, serializer: BaseSerializer[Club]) -> None:
        """As the model says; language and time zone are the founder's where the body names none."""
        user = caller(self.request)
        own = {"language": user.language.lower(), "timezone": user.timezone}
        club = Club.found(by=user, **own | serializer.validated_data)
        serializer.instance = self.clubs().get(pk=club.pk)

    def perform_update(self, serializer: BaseSerializer[Club]) -> None:
        """As the model says; what was not sent stays as it is."""
        cast(Club, serializer.instance).change(by=caller(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Club) -> None:
        """As the model says."""
        instance.dissolve(by=caller(self.request))

    @extend_schema(
        summary="Join a club, or ask to",
        request=JoinSerializer,
        responses={
            201: OpenApiResponse(JoinedSerializer, description="The caller is in."),
            202: OpenApiResponse(JoinedSerializer, description="The club's moderators have been asked."),
            **problem(403, "`invite_only`, or `banned`."),
            **problem(409, "`already_member` (or asking), `club_full`."),
        },
    )
    @action(detail=True, methods=["post"], serializer_class=JoinSerializer)
    def join(self, request: Request, club_id: int) -> Response:
        """As the club's join policy has it."""
        row = self.club.join(caller(request), **checked(self.get_serializer(data=request.data)))
        entered = row.status == Status.ACTIVE
        data = JoinedSerializer(row, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED if entered else status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Leave a club, or withdraw a request",
        request=None,
        responses={204: NOTHING, **problem(409, "`owner_must_transfer`.")},
    )
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, club_id: int) -> Response:
        """The last one out dissolves the club."""
        self.club.leave(caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Hand a club over", request=TransferSerializer, responses={200: ClubSerializer})
    @action(detail=True, methods=["post"], serializer_class=TransferSerializer)
    def transfer(self, request: Request, club_id: int) -> Response:
        """Another active member is the owner from here on, and the caller a moderator."""
        heir = checked(self.get_serializer(data=request.data))["user"]
        self.club.transfer(to=heir, by=caller(request))
        club = self.clubs().get(pk=self.club.pk)
        return Response(ClubSerializer(club, context=self.get_serializer_context()).data)


@extend_schema_view(
    put=extend_schema(
        summary="Show a picture of a club", request=PictureSerializer, responses={200: ClubSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Show no picture of a club"),
)
class CoverView(ClubScoped, PictureView):
    """A club's picture, at most 1,600 pixels high and wide. Whoever has its address sees it, also of a private club."""

    serializer_class = ClubSerializer
    levels = {"put": Level.OWNER, "delete": Level.OWNER}
    folder, shape = COVERS, Shape(1600)

    def clubs(self) -> ClubQuerySet:
        """With what a card shows."""
        return cards(super().clubs(), self.request.user)

    def find_object(self) -> Club:
        """The club of the path, as the access check has read it."""
        return self.club

    def change(self, thing: Club, name: str) -> None:
        """As the model says."""
        thing.change(by=caller(self.request), cover=name)
