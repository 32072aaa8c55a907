"""iCalendar views: a club's calendar for its members, and a user's calendar behind a secret URL."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.models import User
from bookbridge.api.replicas import reading_primary
from bookbridge.api.responses import NOTHING, problem
from bookbridge.api.views import APIView
from clubs.access import ClubScoped, Level
from clubs.meetings import calendar
from clubs.meetings.tokens import CalendarToken

FILE = {(200, "text/calendar"): OpenApiTypes.STR}


class AnyFormat(BaseContentNegotiation):
    """Ignore the Accept header: the response is always an iCalendar file, or an error."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class CalendarView(APIView):
    """Base view of iCalendar files."""

    content_negotiation_class = AnyFormat

    def file(self, content: bytes) -> HttpResponse:
        headers = {"Cache-Control": "private, no-cache", "Content-Disposition": 'inline; filename="meetings.ics"'}
        return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


class ClubCalendarView(ClubScoped, CalendarView):
    """A club's meetings as an iCalendar file."""

    levels = {"get": Level.MEMBER}

    @extend_schema(summary="Get a club's calendar", responses=FILE)
    def get(self, request: Request, club_id: int) -> HttpResponse:
        """Upcoming meetings and those of the past year. Cancelled and deleted ones are listed for 30 days."""
        return self.file(calendar.of_clubs([self.club.pk], caller(request), name=self.club.name))


class TokenInAddress(BaseAuthentication):
    """Authenticate by the `token` query parameter. A missing or invalid token is 404."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        user = CalendarToken.reader(request.query_params.get("token", ""))
        if user is None:
            raise Http404
        return user, None


class ReaderCalendarView(CalendarView):
    """The calendar of all clubs of a user, for calendar apps, which cannot send an access token."""

    authentication_classes = [TokenInAddress]
    query_parameters = ("token",)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Read memberships from the primary database, as for every authenticated request.
        with reading_primary():
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        summary="Get the calendar of all your clubs",
        parameters=[OpenApiParameter("token", OpenApiTypes.STR, required=True, description="From `calendar-token`.")],
        responses={**FILE, **problem(404, "`not_found`: the token is invalid or was revoked.")},
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:
        """The meetings of all clubs that the token's owner is a member of."""
        return self.file(calendar.of_reader(caller(request)))


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
        token = CalendarToken.issue(caller(request))
        url = request.build_absolute_uri(reverse("my-calendar"))
        return Response({"token": token, "url": f"{url}?token={token}"}, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Revoke the secret URL of your calendar",
        responses={204: NOTHING},
    )
    def delete(self, request: Request) -> Response:
        """The URL stops working."""
        CalendarToken.end(caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
