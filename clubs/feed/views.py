"""Activity feed of a club, and changes for a user."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.models import User
from activity.models import ClubNotificationPreference, Event, EventQuerySet
from activity.serializers import ClubNotificationSettingsSerializer, EventSerializer
from clubs.access import AccessLevel, ClubAccessMixin
from clubs.feed.changes import ChangeReader
from clubs.feed.serializers import ChangePageSerializer
from clubs.roles import Rank
from core.api.pagination import KeysetPagination
from core.api.responses import problem_schema
from core.api.views import APIView, GenericAPIView, validate
from core.db.locking import lock_rows


@extend_schema(summary="List the activity of a club")
class ClubActivityView(ClubAccessMixin, generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """Events of the club, newest first. Moderators also see join requests, bans and invitations."""

    is_list = True
    access_levels = {"get": AccessLevel.MEMBER}
    serializer_class = EventSerializer
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        user, is_moderator = current_user(self.request), self.club.my_rank >= Rank.MODERATOR
        feed = Event.objects.for_club(self.club.pk, user=user, include_moderation=is_moderator)
        log: EventQuerySet = feed.for_serializer(user)
        return log


class ClubNotificationSettingsView(ClubAccessMixin, generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """The caller's notification settings for the club. Null for a kind to which the settings for all clubs apply."""

    serializer_class = ClubNotificationSettingsSerializer
    http_method_names = ["get", "head", "options", "patch"]
    access_levels = {"get": AccessLevel.MEMBER, "patch": AccessLevel.MEMBER}

    def get_unlocked_object(self) -> Any:
        return ClubNotificationPreference.objects.for_user(current_user(self.request).pk, self.club.pk)

    def lock_object(self, obj: object) -> None:
        # The settings are several rows, so conditional writes lock the user, as every change of the settings does.
        lock_rows(User, [current_user(self.request).pk])

    @extend_schema(
        summary="Update the notification settings for the club", responses=ClubNotificationSettingsSerializer
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Omitted kinds and channels are unchanged; null removes the settings of a kind."""
        self.get_object()
        ClubNotificationPreference.objects.update_preferences(
            current_user(request), self.club.pk, validate(self.get_serializer(data=request.data))
        )
        return Response(self.get_serializer(self.get_unlocked_object()).data)


class ChangesView(APIView):
    """Everything that has changed for the caller."""

    allowed_query_params = ("since", "page_size")

    @extend_schema(
        summary="List what has changed",
        parameters=[
            OpenApiParameter("since", OpenApiTypes.STR, description="The `cursor` of the last response."),
            OpenApiParameter(
                "page_size",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": KeysetPagination.max_page_size,
                    "default": KeysetPagination.page_size,
                },
                description="The maximum number of rows.",
            ),
        ],
        responses={
            200: ChangePageSerializer,
            **problem_schema(400, "`invalid_cursor`: the cursor is not one of the caller's."),
            **problem_schema(410, "`cursor_expired`: discard everything and start again without a cursor."),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Objects of the caller's clubs and notifications that have changed since the cursor, oldest first.

        Without `since`: all that the caller may see. Read on with the new `cursor`, at once while `has_more` is true,
        and get each object from its `url`, unless it is `deleted`. An object may be listed more than once. If a
        club is deleted, discard everything with that `club`. After joining a club, everything in it is listed. A change
        of counters alone is not listed. A cursor is valid for at least 30 days.
        """
        size = KeysetPagination().get_page_size(request)
        page = ChangeReader(current_user(request), request.query_params.get("since"), size).read()
        return Response(ChangePageSerializer(page).data)
