"""Views of meetings, RSVPs and attendance."""

from functools import partial
from typing import Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from accounts.models import User
from clubs.access import AccessLevel, ClubAccessMixin, ClubChildViewSetMixin
from clubs.roles import Rank
from core.api.exceptions import InvalidParameter
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericAPIView, GenericViewSet, validate
from core.db.locking import lock_rows
from meetings.choices import SeriesScope
from meetings.filters import MeetingFilter
from meetings.models import Attendance, Meeting, Rsvp
from meetings.querysets import MeetingQuerySet
from meetings.serializers import (
    AttendanceSerializer,
    MeetingCreateSerializer,
    MeetingSerializer,
    MeetingUpdateSerializer,
    RsvpSerializer,
    RsvpUpdateSerializer,
)

SCOPE_PARAMETER = OpenApiParameter(
    "scope",
    {"type": "string", "enum": SeriesScope.values, "default": SeriesScope.THIS.value},
    description="`following`: this and all later meetings of the series.",
)
change_schema = partial(
    extend_schema, request=MeetingUpdateSerializer, responses=MeetingSerializer, parameters=[SCOPE_PARAMETER]
)


@extend_schema_view(
    list=extend_schema(summary="List a club's meetings"),
    retrieve=extend_schema(summary="Get a meeting"),
)
class MeetingViewSet(ClubChildViewSetMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Meetings of a club. Moderators create them. Non-members of a public club see only title, start and status."""

    access_levels = {
        "list": AccessLevel.ANYONE,
        "retrieve": AccessLevel.ANYONE,
        "create": AccessLevel.MODERATOR,
        "update": AccessLevel.MODERATOR,
        "partial_update": AccessLevel.MODERATOR,
        "destroy": AccessLevel.MODERATOR,
    }
    queryset = Meeting.objects.none()
    lookup_url_kwarg = "meeting_id"
    serializer_class = MeetingSerializer
    filterset_class = MeetingFilter
    ordering_fields: ClassVar = {"starts_at": ("starts_at", "id"), "-starts_at": ("-starts_at", "-id")}

    @property
    def allowed_query_params(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("scope",) if self.action in ("update", "partial_update", "destroy") else ()

    def get_queryset(self) -> MeetingQuerySet:
        meetings = Meeting.objects.not_deleted().filter(club=self.club)
        return meetings.with_rsvp_of(self.request.user) if self._is_member else meetings

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "is_member": self._is_member}

    @extend_schema(
        summary="Create a meeting or a series", request=MeetingCreateSerializer, responses={201: MeetingSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With `repeats`, create a series; the response is its first meeting."""
        values = validate(MeetingCreateSerializer(data=request.data))
        meeting = Meeting.create_meeting(club=self.club, by=current_user(request), **values)
        return self.serialize(meeting, status.HTTP_201_CREATED)

    @change_schema(summary="Update a meeting")
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set `status` to cancel the meeting. Optional fields that are not sent do not change."""
        return self._update(MeetingUpdateSerializer(data=request.data))

    @change_schema(summary="Update some fields of a meeting")
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set `status` to cancel the meeting."""
        return self._update(MeetingUpdateSerializer(data=request.data, partial=True))

    @extend_schema(summary="Delete a meeting", parameters=[SCOPE_PARAMETER])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Calendars list the meeting as cancelled for 30 days."""
        meeting: Meeting = self.get_object()
        meeting.delete_meeting(by=current_user(request), scope=self._scope())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def lock_object(self, obj: object) -> None:
        # The same locks in the same order as the write itself.
        self.club.lock(with_user=current_user(self.request))
        del self.club
        cast(Meeting, obj).lock()

    @property
    def _is_member(self) -> bool:
        return not getattr(self, "swagger_fake_view", False) and self.club.my_rank >= Rank.MEMBER

    def is_unchanged(self) -> bool:
        """Return whether the write has changed nothing; with a scope it may have changed other meetings."""
        return self._scope() == SeriesScope.THIS and super().is_unchanged()

    def _scope(self) -> str:
        scope = self.request.query_params.get("scope", SeriesScope.THIS)
        if scope not in SeriesScope.values:
            choices = ", ".join(SeriesScope.values)
            raise InvalidParameter([{"field": "scope", "code": "invalid_choice", "detail": choices}])
        return scope

    def _update(self, serializer: BaseSerializer[Any]) -> Response:
        meeting: Meeting = self.get_object()
        meeting.update_meeting(by=current_user(self.request), scope=self._scope(), **validate(serializer))
        return self.serialize(meeting)


class MeetingChildView(ClubAccessMixin, GenericAPIView):
    """Base view for resources of one meeting."""

    http_method_names = ["get", "head", "options", "put"]
    queryset = Meeting.objects.none()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.level is not None:
            # Raises Http404 before the body is validated.
            self.meeting  # noqa: B018

    def get_unlocked_object(self) -> Meeting:
        return self.meeting

    @cached_property
    def meeting(self) -> Meeting:
        """The meeting of the URL, with `club` set to `self.club`."""
        meeting = get_object_or_404(Meeting.objects.not_deleted().filter(club=self.club), pk=self.kwargs["meeting_id"])
        meeting.club = self.club
        return meeting

    def lock_object(self, obj: object) -> None:
        # The same locks in the same order as the write itself.
        self.club.lock(with_user=current_user(self.request))
        del self.club
        self.meeting.lock()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


class RsvpView(MeetingChildView):
    """The caller's RSVP to a meeting."""

    access_levels = {"get": AccessLevel.MEMBER, "put": AccessLevel.MEMBER}
    serializer_class = RsvpSerializer

    def get_unlocked_object(self) -> Any:
        rsvps = Rsvp.objects.filter(meeting=self.meeting, user=current_user(self.request))
        return rsvps.with_waitlist_position().first() or Rsvp(meeting=self.meeting)

    @extend_schema(
        summary="RSVP to a meeting",
        request=RsvpUpdateSerializer,
        responses={
            200: RsvpSerializer,
            **problem_schema(409, "`no_maybe` if seats are limited, `meeting_cancelled`, `meeting_over`."),
        },
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answering yes to a full meeting joins the waitlist. Seats that become free go to the first users on it."""
        if self.is_conditional:
            self.get_object()
        values = validate(RsvpUpdateSerializer(data=request.data))
        rsvp = Rsvp.set_rsvp(meeting=self.meeting, by=current_user(request), **values)
        return Response(RsvpSerializer(rsvp).data)


class AttendanceView(MeetingChildView):
    """Attendance of a meeting."""

    access_levels = {"get": AccessLevel.MODERATOR, "put": AccessLevel.MODERATOR}
    serializer_class = AttendanceSerializer

    def get_unlocked_object(self) -> Any:
        return {"attended": list(self.meeting.attendance.order_by("user").values_list("user", flat=True))}

    def lock_object(self, obj: object) -> None:
        # Users are locked before the club.
        serializer = AttendanceSerializer(data=self.request.data)
        users = serializer.validated_data["attended"] if serializer.is_valid() else []
        lock_rows(User, [*users, current_user(self.request).pk])
        super().lock_object(obj)

    @extend_schema(
        summary="Record the attendance of a meeting",
        request=AttendanceSerializer,
        responses={204: NO_CONTENT, **problem_schema(409, "`meeting_cancelled`.")},
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replaces the earlier record."""
        self.get_object()
        attended = validate(AttendanceSerializer(data=request.data))["attended"]
        Attendance.set_attendance(meeting=self.meeting, by=current_user(request), users=attended)
        return Response(status=status.HTTP_204_NO_CONTENT)
