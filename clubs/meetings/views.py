"""Meetings over HTTP (api.md, section 5)."""

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
    description="`following`: this meeting and all that come after it in its series.",
)
change_schema = partial(extend_schema, request=MeetingChangeSerializer, responses=MeetingSerializer, parameters=[SCOPE])


@extend_schema_view(
    list=extend_schema(summary="A club's meetings"),
    retrieve=extend_schema(summary="One meeting"),
)
class MeetingViewSet(ClubRows, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """A club's meetings: moderators plan them, members answer; a public club shows everybody when it meets."""

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
        """`scope` where something is changed."""
        return ("scope",) if self.action in ("update", "partial_update", "destroy") else ()

    def get_queryset(self) -> MeetingQuerySet:
        """The club's meetings with what the answer shows."""
        meetings = Meeting.objects.present().filter(club=self.club)
        return meetings.with_answer_of(self.request.user) if self._insider else meetings

    def get_serializer_context(self) -> dict[str, Any]:
        """With how much the caller sees."""
        return {**super().get_serializer_context(), "insider": self._insider}

    @extend_schema(
        summary="Plan a meeting or a series", request=NewMeetingSerializer, responses={201: MeetingSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With `repeats` a series; the answer is its first meeting."""
        values = checked(NewMeetingSerializer(data=request.data))
        meeting = Meeting.plan(club=self.club, by=caller(request), **values)
        return self.shown(meeting, status.HTTP_201_CREATED)

    @change_schema(summary="Change a meeting")
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancelled by `status`; what was not sent stays as it is."""
        return self._change(MeetingChangeSerializer(data=request.data))

    @change_schema(summary="Change some of a meeting")
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancelled by `status`."""
        return self._change(MeetingChangeSerializer(data=request.data, partial=True))

    @extend_schema(summary="Remove a meeting", parameters=[SCOPE])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Calendars show it as cancelled for 30 days."""
        meeting: Meeting = self.get_object()
        meeting.remove(by=caller(request), scope=self._scope())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def lock(self, obj: object) -> None:
        """What the write below locks, in the same order."""
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
    """A view about the meeting of the path."""

    http_method_names = ["get", "head", "options", "put"]
    queryset = Meeting.objects.none()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the permissions: 404 where the club has no such meeting, whatever the body says."""
        super().initial(request, *args, **kwargs)
        if self.level is not None:
            self.meeting  # noqa: B018  looked up for its 404

    def find_object(self) -> Meeting:
        """What a PUT writes below."""
        return self.meeting

    @cached_property
    def meeting(self) -> Meeting:
        """The meeting, whose club is the one that is at hand."""
        meeting = get_object_or_404(Meeting.objects.present().filter(club=self.club), pk=self.kwargs["meeting_id"])
        meeting.club = self.club
        return meeting

    def lock(self, obj: object) -> None:
        """What the write below locks, in the same order."""
        self.club.lock(with_user=caller(self.request))
        del self.club
        self.meeting.lock()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


class RsvpView(BelowMeeting):
    """The caller's own answer to a meeting."""

    levels = {"get": Level.MEMBER, "put": Level.MEMBER}
    serializer_class = RsvpSerializer

    def find_object(self) -> Any:
        """The answer; before there is one it says null."""
        own = Rsvp.objects.filter(meeting=self.meeting, user=caller(self.request)).with_place().first()
        return own or Rsvp(meeting=self.meeting)

    @extend_schema(
        summary="Answer to a meeting",
        request=GivenRsvpSerializer,
        responses={
            200: RsvpSerializer,
            **problem(409, "`no_maybe` with a limit of seats, `meeting_cancelled`, `meeting_over`."),
        },
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Where all seats are taken, a yes waits in line; who gives a seat back gives it to the first there."""
        self.get_object()
        values = checked(GivenRsvpSerializer(data=request.data))
        own = Rsvp.give(meeting=self.meeting, by=caller(request), **values)
        return Response(RsvpSerializer(own).data)


class AttendanceView(BelowMeeting):
    """Who was at a meeting."""

    levels = {"get": Level.MODERATOR, "put": Level.MODERATOR}
    serializer_class = AttendanceSerializer

    def find_object(self) -> Any:
        """Who was there, as ids."""
        return {"attended": list(self.meeting.attendance.order_by("user").values_list("user", flat=True))}

    def lock(self, obj: object) -> None:
        """Those who are named too, since they come before the club."""
        sent = AttendanceSerializer(data=self.request.data)
        named = sent.validated_data["attended"] if sent.is_valid() else []
        hold(User, [*named, caller(self.request).pk])
        super().lock(obj)

    @extend_schema(
        summary="Note who was at a meeting",
        request=AttendanceSerializer,
        responses={204: NOTHING, **problem(409, "`meeting_cancelled`.")},
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In place of what was noted before."""
        self.get_object()
        attended = checked(AttendanceSerializer(data=request.data))["attended"]
        Attendance.note(meeting=self.meeting, by=caller(request), users=attended)
        return Response(status=status.HTTP_204_NO_CONTENT)
