"""iCalendar views: a club's calendar for its members, and a user's calendar behind a secret URL."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.models import User
from clubs.access import AccessLevel, ClubAccessMixin
from core.api.negotiation import IgnoreAcceptNegotiation
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import APIView
from core.db.replicas import use_primary
from meetings import ical
from meetings.models import CalendarToken

CALENDAR_RESPONSE = {(200, "text/calendar"): OpenApiTypes.STR}


class CalendarView(APIView):
    """Base view of iCalendar files."""

    content_negotiation_class = IgnoreAcceptNegotiation

    def calendar_response(self, content: bytes) -> HttpResponse:
        headers = {"Cache-Control": "private, no-cache", "Content-Disposition": 'inline; filename="meetings.ics"'}
        return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


class ClubCalendarView(ClubAccessMixin, CalendarView):
    """A club's meetings as an iCalendar file."""

    access_levels = {"get": AccessLevel.MEMBER}

    @extend_schema(summary="Get a club's calendar", responses=CALENDAR_RESPONSE)
    def get(self, request: Request, club_id: int) -> HttpResponse:
        """Upcoming meetings and those of the past year. Cancelled and deleted ones are listed for 30 days."""
        return self.calendar_response(ical.club_calendar([self.club.pk], current_user(request), name=self.club.name))


class QueryTokenAuthentication(BaseAuthentication):
    """Authenticate by the `token` query parameter. A missing or invalid token is 404."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            raise MethodNotAllowed(str(request.method))  # whatever the token
        user = CalendarToken.get_user(request.query_params.get("token", ""))
        if user is None:
            raise Http404
        return user, None


class UserCalendarView(CalendarView):
    """The calendar of all clubs of a user, for calendar apps, which cannot send an access token."""

    authentication_classes = [QueryTokenAuthentication]
    allowed_query_params = ("token",)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Read memberships from the primary database, as for every authenticated request.
        with use_primary():
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        summary="Get the calendar of all your clubs",
        parameters=[OpenApiParameter("token", OpenApiTypes.STR, required=True, description="From `calendar-token`.")],
        responses={**CALENDAR_RESPONSE, **problem_schema(404, "`not_found`: the token is invalid or was revoked.")},
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:
        """The meetings of all clubs that the token's owner is a member of."""
        return self.calendar_response(ical.user_calendar(current_user(request)))


class NewCalendarTokenSerializer(serializers.Serializer[Any]):
    """A new calendar URL. It cannot be retrieved again."""

    token = serializers.CharField()
    url = serializers.URLField()


class CalendarTokenView(APIView):
    """The secret URL of the caller's calendar."""

    @extend_schema(
        summary="Create a secret URL for your calendar",
        request=None,
        responses={201: NewCalendarTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """The previous URL stops working."""
        token = CalendarToken.issue(current_user(request))
        url = request.build_absolute_uri(reverse("my-calendar"))
        return Response({"token": token, "url": f"{url}?token={token}"}, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Revoke the secret URL of your calendar",
        responses={204: NO_CONTENT},
    )
    def delete(self, request: Request) -> Response:
        """The URL stops working."""
        CalendarToken.revoke(current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
