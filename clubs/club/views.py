"""Views of clubs."""

from typing import Any, ClassVar, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from clubs.access import AccessLevel, ClubAccessMixin
from clubs.club.filters import ClubFilter
from clubs.club.models import COVER_FOLDER, Club
from clubs.club.querysets import ClubQuerySet
from clubs.club.serializers import ClubSerializer, JoinSerializer, TransferSerializer
from clubs.club.services import MAX_INCLUDED_ENTRIES, detailed_club, detailed_clubs, load_reading_list
from clubs.members.responses import joined_response
from clubs.members.serializers import OwnMembershipSerializer
from clubs.reading.serializers import EntrySerializer
from clubs.roles import Rank
from core.api.exceptions import InvalidParameter
from core.api.pagination import SearchPagination
from core.api.responses import NO_CONTENT, problem_schema
from core.api.schema import NEW_OBJECT_HEADERS
from core.api.views import GenericViewSet, validate
from core.db.prepared import prepared
from core.images.processing import ImageSpec
from core.images.views import TOO_LARGE, ImageUploadSerializer, ImageUploadView

# The schemas that other responses of these views define.
CLUB_WITH_BOOKS = {
    "allOf": [
        {"$ref": "#/components/schemas/Club"},
        {
            "type": "object",
            "properties": {
                "books": {
                    "type": ["array", "null"],
                    "items": {"$ref": "#/components/schemas/Entry"},
                    "maxItems": MAX_INCLUDED_ENTRIES,
                    "description": "With `include=books`, the first 100 entries of the reading list in order; null for "
                    "users who have asked to join a private club.",
                }
            },
        },
    ]
}
UPDATE_RESPONSES = {200: ClubSerializer, **problem_schema(409, "`limit_below_members`.")}


@prepared
def all_clubs() -> ClubQuerySet:
    return Club.objects.defer("search_text")


@extend_schema_view(
    list=extend_schema(
        summary="List clubs", description="Public clubs, and private clubs that the caller is in or has asked to join."
    ),
    create=extend_schema(summary="Create a club", description="The caller becomes the owner."),
    retrieve=extend_schema(
        summary="Get a club",
        description="Private clubs are visible to members and to users who have asked to join.",
        parameters=[
            OpenApiParameter("include", enum=["books"], description="`books` adds the reading list of the club.")
        ],
        responses={200: CLUB_WITH_BOOKS},
    ),
    update=extend_schema(
        summary="Update a club",
        description="Fields that are not sent keep their values. Owner only.",
        responses=UPDATE_RESPONSES,
    ),
    partial_update=extend_schema(
        summary="Update some fields of a club",
        description="Fields that are not sent keep their values. Owner only.",
        responses=UPDATE_RESPONSES,
    ),
    destroy=extend_schema(summary="Delete a club", description="Delete the club and all its content. Owner only."),
)
class ClubViewSet(
    ClubAccessMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    GenericViewSet,
):
    """Public clubs are visible to everyone, private clubs only to their members."""

    lookup_url_kwarg = "club_id"
    serializer_class = ClubSerializer
    filterset_class = ClubFilter
    pagination_class = SearchPagination
    queryset = Club.objects.none()
    replayable_after_access_loss = ("leave", "transfer")
    ordering_fields: ClassVar = {
        "-members_count": ("-members_count", "-id"),
        "name": ("name_key", "id"),
        "-created_at": ("-created_at", "-id"),
    }
    access_levels = {
        "retrieve": AccessLevel.PUBLIC_SUMMARY,
        "update": AccessLevel.OWNER,
        "partial_update": AccessLevel.OWNER,
        "destroy": AccessLevel.OWNER,
        "join": AccessLevel.SIGNED_IN,
        "leave": AccessLevel.APPLICANT,
        "transfer": AccessLevel.OWNER,
    }

    def get_permissions(self) -> list[BasePermission]:
        """Skip the club access check for the list and for creation."""
        collection: dict[str, BasePermission] = {"list": AllowAny(), "create": IsAuthenticated()}
        return [collection[self.action]] if self.action in collection else super().get_permissions()

    @property
    def allowed_query_params(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("include",) if self.action == "retrieve" else ()

    def get_club_queryset(self) -> ClubQuerySet:
        if self.action != "retrieve":
            return detailed_clubs(self.request.user)
        return detailed_club(self.request.user, "include" not in self.request.query_params)

    def get_unsearched_queryset(self) -> ClubQuerySet:
        return all_clubs()

    def get_queryset(self) -> ClubQuerySet:
        return self.get_club_queryset()

    def get_unlocked_object(self) -> Club:
        return self.club

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the club, with its reading list if the caller may see it and asks for it."""
        include = request.query_params.get("include")
        if include is None:
            return super().retrieve(request, *args, **kwargs)
        if include != "books":
            detail = _("Must be one of: %(choices)s.") % {"choices": "books"}
            raise InvalidParameter([{"field": "include", "code": "invalid_choice", "detail": detail}])
        entries = load_reading_list(self.club, request.user)
        response = super().retrieve(request, *args, **kwargs)
        may_see_list = not self.club.is_private or self.club.my_rank >= Rank.MEMBER
        response.data["books"] = EntrySerializer(entries, many=True).data if may_see_list else None
        return response

    def perform_create(self, serializer: BaseSerializer[Club]) -> None:
        """Use the language and time zone of the user as defaults."""
        user = current_user(self.request)
        defaults = {"language": user.language.lower(), "timezone": user.timezone}
        club = Club.create_club(by=user, **defaults | serializer.validated_data)
        serializer.instance = self.get_club_queryset().get(pk=club.pk)

    def perform_update(self, serializer: BaseSerializer[Club]) -> None:
        cast(Club, serializer.instance).update_club(by=current_user(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Club) -> None:
        instance.delete_club(by=current_user(self.request))

    @extend_schema(
        summary="Join a club",
        request=JoinSerializer,
        parameters=NEW_OBJECT_HEADERS,
        responses={
            201: OpenApiResponse(OwnMembershipSerializer, description="The caller is a member."),
            202: OpenApiResponse(OwnMembershipSerializer, description="The request awaits approval by a moderator."),
            **problem_schema(403, "`invite_only`, or `banned`."),
            **problem_schema(409, "`already_member` (or already asked), `club_full`."),
        },
    )
    @action(detail=True, methods=["post"], serializer_class=JoinSerializer, responds_with_object=False)
    def join(self, request: Request, club_id: int) -> Response:
        """Join the club, or ask to join it, depending on its join policy."""
        row = self.club.join(current_user(request), **validate(self.get_serializer(data=request.data)))
        return joined_response(row, request, self.get_serializer_context())

    @extend_schema(
        summary="Leave a club",
        request=None,
        responses={204: NO_CONTENT, **problem_schema(409, "`owner_must_transfer`.")},
    )
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, club_id: int) -> Response:
        """Leave the club, or withdraw a join request. The club is deleted when its last member leaves."""
        self.club.leave(current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Transfer ownership of a club", request=TransferSerializer, responses={200: ClubSerializer})
    @action(detail=True, methods=["post"], serializer_class=TransferSerializer)
    def transfer(self, request: Request, club_id: int) -> Response:
        """Make another active member the owner. The caller becomes a moderator."""
        new_owner_id = validate(self.get_serializer(data=request.data))["user"]
        self.club.transfer(user_id=new_owner_id, by=current_user(request))
        club = self.get_club_queryset().get(pk=self.club.pk)
        return Response(ClubSerializer(club, context=self.get_serializer_context()).data)


@extend_schema_view(
    put=extend_schema(
        summary="Set the cover of a club", request=ImageUploadSerializer, responses={200: ClubSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Remove the cover of a club"),
)
class ClubCoverView(ClubAccessMixin, ImageUploadView):
    """Cover of a club, scaled to at most 1,600 pixels. Its URL needs no authentication, even for a private club."""

    serializer_class = ClubSerializer
    access_levels = {"put": AccessLevel.OWNER, "delete": AccessLevel.OWNER}
    upload_folder, image_spec = COVER_FOLDER, ImageSpec()

    def get_club_queryset(self) -> ClubQuerySet:
        return detailed_clubs(self.request.user)

    def get_unlocked_object(self) -> Club:
        return self.club

    def set_image(self, club: Club, name: str) -> None:
        club.update_club(by=current_user(self.request), cover=name)
