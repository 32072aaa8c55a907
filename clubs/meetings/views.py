"""Views of meetings, RSVPs and attendance (api.md, section 5)."""

from functools import partial
from typing import Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import caller
from accounts.models import User
from bookbridge.api.errors import InvalidParameter
from bookbridge.api.responses import NOTHING, problem
from bookbridge.api.rows import hold
from bookbridge.api.views import GenericAPIView, GenericViewSet, checked
from clubs.access import ClubRows, ClubScoped, Level
from clubs.meetings.answers import Attendance, Rsvp
from clubs.meetings.filters import MeetingFilter
from clubs.meetings.models import Meeting, MeetingQuerySet, Scope
from clubs.meetings.serializers import (
    AttendanceSerializer,
    GivenRsvpSerializer,
    MeetingChangeSerializer,
    MeetingSerializer,
    NewMeetingSerializer,
    RsvpSerializer,
)
from clubs.roles import Standing

SCOPE = OpenApiParameter(
    "scope",
    {"type": "string", "enum": Scope.values, "default": Scope.THIS.value},
    description="`following`: this and all later meetings of the series.",
)
change_schema = partial(extend_schema, request=MeetingChangeSerializer, responses=MeetingSerializer, parameters=[SCOPE])


@extend_schema_view(
    list=extend_schema(summary="List a club's meetings"),
    retrieve=extend_schema(summary="Get a meeting"),
)
class MeetingViewSet(ClubRows, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Meetings of a club. Moderators create them. Non-members of a public club see only title, start and status."""

    levels = {
        "list": Level.ANYONE,
        "retrieve": Level.ANYONE,
        "create": Level.MODERATOR,
        "update": Level.MODERATOR,
        "partial_update": Level.MODERATOR,
        "destroy": Level.MODERATOR,
    }
    queryset = Meeting.objects.none()
    lookup_url_kwarg = "meeting_id"
    serializer_class = MeetingSerializer
    filterset_class = MeetingFilter
    orderings: ClassVar = {"starts_at": ("starts_at", "id"), "-starts_at": ("-starts_at", "-id")}

    @property
    def query_parameters(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("scope",) if self.action in ("update", "partial_update", "destroy") else ()

    def get_queryset(self) -> MeetingQuerySet:
        meetings = Meeting.objects.present().filter(club=self.club)
        return meetings.with_answer_of(self.request.user) if self._insider else meetings

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "insider": self._insider}

    @extend_schema(
        summary="Create a meeting or a series", request=NewMeetingSerializer, responses={201: MeetingSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With `repeats`, create a series; the response is its first meeting."""
        values = checked(NewMeetingSerializer(data=request.data))
        meeting = Meeting.plan(club=self.club, by=caller(request), **values)
        return self.shown(meeting, status.HTTP_201_CREATED)

    @change_schema(summary="Update a meeting")
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set `status` to cancel the meeting. Optional fields that are not sent do not change."""
        return self._change(MeetingChangeSerializer(data=request.data))

    @change_schema(summary="Update some fields of a meeting")
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set `status` to cancel the meeting."""
        return self._change(MeetingChangeSerializer(data=request.data, partial=True))

    @extend_schema(summary="Delete a meeting", parameters=[SCOPE])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Calendars list the meeting as cancelled for 30 days."""
        meeting: Meeting = self.get_object()
        meeting.remove(by=caller(request), scope=self._scope())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def lock(self, obj: object) -> None:
        # The same locks in the same order as the write itself.
        self.club.lock(with_user=caller(self.request))
        del self.club
        cast(Meeting, obj).lock()

    @property
    def _insider(self) -> bool:
        return not getattr(self, "swagger_fake_view", False) and self.club.my_standing >= Standing.MEMBER

    def _scope(self) -> str:
        scope = self.request.query_params.get("scope", Scope.THIS)
        if scope not in Scope.values:
            choices = ", ".join(Scope.values)
            raise InvalidParameter([{"field": "scope", "code": "invalid_choice", "detail": choices}])
        return scope

    def _change(self, serializer: BaseSerializer[Any]) -> Response:
        meeting: Meeting = self.get_object()
        meeting.change(by=caller(self.request), scope=self._scope(), **checked(serializer))
        return self.shown(meeting)


class BelowMeeting(ClubScoped, GenericAPIView):
    """Base view for resources of one meeting."""

    http_method_names = ["get", "head", "options", "put"]
    queryset = Meeting.objects.none()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.level is not None:
            # Raises 404 before the body is validated.
            self.meeting  # noqa: B018

    def find_object(self) -> Meeting:
        return self.meeting

    @cached_property
    def meeting(self) -> Meeting:
        """The meeting of the URL, with `club` set to `self.club`."""
        meeting = get_object_or_404(Meeting.objects.present().filter(club=self.club), pk=self.kwargs["meeting_id"])
        meeting.club = self.club
        return meeting

    def lock(self, obj: object) -> None:
        # The same locks in the same order as the write itself.
        self.club.lock(with_user=caller(self.request))
        del self.club
        self.meeting.lock()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


class RsvpView(BelowMeeting):
    """The caller's RSVP to a meeting."""

    levels = {"get": Level.MEMBER, "put": Level.MEMBER}
    serializer_class = RsvpSerializer

    def find_object(self) -> Any:
        own = Rsvp.objects.filter(meeting=self.meeting, user=caller(self.request)).with_place().first()
        return own or Rsvp(meeting=self.meeting)

    @extend_schema(
        summary="RSVP to a meeting",
        request=GivenRsvpSerializer,
        responses={
            200: RsvpSerializer,
            **problem(409, "`no_maybe` if seats are limited, `meeting_cancelled`, `meeting_over`."),
        },
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A yes to a full meeting joins the waitlist. A seat that becomes free goes to the first user on it."""
        self.get_object()
        values = checked(GivenRsvpSerializer(data=request.data))
        own = Rsvp.give(meeting=self.meeting, by=caller(request), **values)
        return Response(RsvpSerializer(own).data)


class AttendanceView(BelowMeeting):
    """Attendance of a meeting."""

    levels = {"get": Level.MODERATOR, "put": Level.MODERATOR}
    serializer_class = AttendanceSerializer

    def find_object(self) -> Any:
        return {"attended": list(self.meeting.attendance.order_by("user").values_list("user", flat=True))}

    def lock(self, obj: object) -> None:
        # Users are locked before the club.
        sent = AttendanceSerializer(data=self.request.data)
        named = sent.validated_data["attended"] if sent.is_valid() else []
        hold(User, [*named, caller(self.request).pk])
        super().lock(obj)

    @extend_schema(
        summary="Record the attendance of a meeting",
        request=AttendanceSerializer,
        responses={204: NOTHING, **problem(409, "`meeting_cancelled`.")},
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replaces the earlier record."""
        self.get_object()
        attended = checked(AttendanceSerializer(data=request.data))["attended"]
        Attendance.note(meeting=self.meeting, by=caller(request), users=attended)
        return Response(status=status.HTTP_204_NO_CONTENT)
