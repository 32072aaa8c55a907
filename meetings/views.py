"""Views of meetings, RSVPs and attendance."""

from functools import partial
from typing import Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from accounts.blocks import not_blocked
from accounts.models import User
from clubs.access import AccessLevel, ClubAccessMixin, ClubChildViewSetMixin, require_level
from clubs.roles import Rank
from core.api.exceptions import InvalidParameter
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericAPIView, GenericViewSet, validate
from core.db.locking import lock_rows
from meetings.choices import SeriesScope
from meetings.filters import NO_ANSWER, MeetingFilter, RsvpFilter
from meetings.models import RSVP_ORDER, Attendance, Meeting, Rsvp
from meetings.querysets import MeetingQuerySet
from meetings.serializers import (
    AttendanceSerializer,
    MeetingCreateSerializer,
    MeetingSerializer,
    MeetingUpdateSerializer,
    MemberRsvpSerializer,
    RemindedSerializer,
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


class MeetingAccessMixin(ClubAccessMixin):
    """Load the meeting named in the URL as `self.meeting`."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if self.level is not None:
            # Raises Http404 before the body is validated.
            self.meeting  # noqa: B018

    @cached_property
    def meeting(self) -> Meeting:
        """The meeting of the URL, with `club` set to `self.club`."""
        meeting = get_object_or_404(Meeting.objects.not_deleted().filter(club=self.club), pk=self.kwargs["meeting_id"])
        meeting.club = self.club
        return meeting


class MeetingChildView(MeetingAccessMixin, GenericAPIView):
    """Base view for resources of one meeting."""

    http_method_names = ["get", "head", "options", "put"]
    queryset = Meeting.objects.none()

    def get_unlocked_object(self) -> Meeting:
        return self.meeting

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


@extend_schema_view(
    list=extend_schema(
        summary="List the RSVPs to a meeting",
        description="Attendees first, then the waitlist in order, maybe and no, each by the time of the answer.",
        responses={
            200: MemberRsvpSerializer(many=True),
            **problem_schema(403, "`moderators_only`: `?answer=none` by a member."),
        },
    )
)
class MeetingRsvpViewSet(MeetingAccessMixin, mixins.ListModelMixin, GenericViewSet):
    """The members' RSVPs to a meeting."""

    access_levels = {"list": AccessLevel.MEMBER, "remind": AccessLevel.MODERATOR}
    queryset = Rsvp.objects.none()
    serializer_class = MemberRsvpSerializer
    filterset_class = RsvpFilter

    @property
    def ordering_fields(self) -> dict[str, tuple[str, ...]]:
        return {"answer": ("joined_at", "id") if self._lists_unanswered else RSVP_ORDER}

    def get_queryset(self) -> Any:
        user = current_user(self.request)
        if self._lists_unanswered:
            require_level(self.club, AccessLevel.MODERATOR)
            members = Rsvp.objects.members_without(self.meeting).not_blocked_for(user).select_related("user")
            return members.defer("user__bio", "user__search_text")
        return Rsvp.objects.filter(meeting=self.meeting).in_order().for_serializer(user)

    @extend_schema(
        summary="Remind the members who have not answered",
        request=None,
        responses={
            202: RemindedSerializer,
            **problem_schema(
                409, "`reminded_already` within 24 hours, with `until`; `meeting_cancelled`, `meeting_over`."
            ),
        },
    )
    @action(detail=False, methods=["post"], responds_with_object=False)
    def remind(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Asks the members whom `?answer=none` lists, once in 24 hours."""
        notified = self.meeting.remind(by=current_user(request))
        return Response({"notified": notified}, status.HTTP_202_ACCEPTED)

    @property
    def _lists_unanswered(self) -> bool:
        return self.request is not None and self.request.query_params.get("answer") == NO_ANSWER


class AttendanceView(MeetingChildView):
    """Attendance of a meeting."""

    access_levels = {"get": AccessLevel.MEMBER, "put": AccessLevel.MODERATOR}
    serializer_class = AttendanceSerializer

    def get_unlocked_object(self) -> Any:
        rows = self.meeting.attendance.filter(not_blocked(current_user(self.request), "user"))
        return {
            "attended": list(rows.order_by("user").values_list("user", flat=True)),
            "others": self.meeting.others_attended,
            "attended_count": self.meeting.attended_count,
        }

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
        """Replaces the earlier record, except for attendees whom a block hides from the caller."""
        self.get_object()
        values = validate(AttendanceSerializer(data=request.data))
        Attendance.set_attendance(
            meeting=self.meeting, by=current_user(request), users=values["attended"], others=values["others"]
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
