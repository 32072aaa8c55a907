"""Calendars over HTTP: a club's for its members, and a reader's own behind a secret address."""

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
    """A calendar is a calendar, whatever Accept says; errors are what they are everywhere."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The first; nothing is sent here."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """That of errors."""
        return renderers[0], renderers[0].media_type


class CalendarView(APIView):
    """An iCalendar file."""

    content_negotiation_class = AnyFormat

    def file(self, content: bytes) -> HttpResponse:
        """The answer, which nobody may share."""
        headers = {"Cache-Control": "private, no-cache", "Content-Disposition": 'inline; filename="meetings.ics"'}
        return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


class ClubCalendarView(ClubScoped, CalendarView):
    """A club's meetings as an iCalendar file."""

    levels = {"get": Level.MEMBER}

    @extend_schema(summary="A club's calendar", responses=FILE)
    def get(self, request: Request, club_id: int) -> HttpResponse:
        """A year back and all to come; what is cancelled or removed stays for 30 days as cancelled."""
        return self.file(calendar.of_clubs([self.club.pk], caller(request), name=self.club.name))


class TokenInAddress(BaseAuthentication):
    """The secret in a calendar's address names its reader. A bad one, or none, is 404."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        """The reader whose calendar it is."""
        reader = CalendarToken.reader(request.query_params.get("token", ""))
        if reader is None:
            raise Http404
        return reader, None


class ReaderCalendarView(CalendarView):
    """The meetings of all clubs that a reader is in, for calendar programs, which can send no other sign-in."""

    authentication_classes = [TokenInAddress]
    query_parameters = ("token",)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Who is in which club is asked of the primary database, as for whoever has signed in."""
        with reading_primary():
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        summary="The calendar of all one's clubs",
        parameters=[OpenApiParameter("token", OpenApiTypes.STR, required=True, description="From `calendar-token`.")],
        responses={**FILE, **problem(404, "`not_found`: no such token, or none any more.")},
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:
        """Of the clubs that the token's reader is in now."""
        return self.file(calendar.of_reader(caller(request)))


class NewCalendarTokenSerializer(serializers.Serializer[Any]):
    """A new secret address; it is told this once."""

    token = serializers.CharField()
    url = serializers.URLField()


class CalendarTokenView(APIView):
    """The secret address of one's own calendar."""

    @extend_schema(
        summary="Get a new secret address for one's calendar",
        request=None,
        responses={201: NewCalendarTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """An older one is over."""
        token = CalendarToken.issue(caller(request))
        url = request.build_absolute_uri(reverse("my-calendar"))
        return Response({"token": token, "url": f"{url}?token={token}"}, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="End the secret address of one's calendar",
        responses={204: NOTHING},
    )
    def delete(self, request: Request) -> Response:
        """It opens nothing any more."""
        CalendarToken.end(caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
