"""Views of a year in books."""

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from clubs.access import AccessLevel, ClubAccessMixin
from core.api.exceptions import InvalidParameter
from core.api.negotiation import IgnoreAcceptNegotiation
from core.api.views import APIView
from stats.year.card import render_card
from stats.year.serializers import YearInBooksSerializer
from stats.year.statistics import FIRST_YEAR, LAST_YEAR, ClubYear, UserYear

CARD_RESPONSE = {(200, "image/png"): OpenApiTypes.BINARY}
NAME_PARAMETER = OpenApiParameter(
    "club_name",
    OpenApiTypes.BOOL,
    description="Whether the club's name is in the picture; by default only that of a public club.",
)


def require_year(year: int) -> int:
    """Return the year. Raises Http404 outside the range of dates that the API accepts."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    return year


def card_response(content: bytes) -> HttpResponse:
    """Return a picture that only the caller's own cache may keep."""
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="image/png", headers=headers)


class ClubYearView(ClubAccessMixin, APIView):
    """A club's year in books."""

    access_levels = {"get": AccessLevel.MEMBER}

    @extend_schema(summary="Get a club's year in books", responses=YearInBooksSerializer)
    def get(self, request: Request, club_id: int, year: int) -> Response:
        """Return the books that the club finished in the year, and its meetings, in its time zone."""
        return Response(YearInBooksSerializer(ClubYear(self.club, require_year(year))).data)


class ClubYearCardView(ClubAccessMixin, APIView):
    """A club's year in books as a picture."""

    access_levels = {"get": AccessLevel.MEMBER}
    content_negotiation_class = IgnoreAcceptNegotiation
    allowed_query_params = ("club_name",)

    @extend_schema(summary="Get a club's year as a picture", parameters=[NAME_PARAMETER], responses=CARD_RESPONSE)
    def get(self, request: Request, club_id: int, year: int) -> HttpResponse:
        """Return a PNG of 1200 x 630 pixels to share, in the caller's language."""
        statistics = ClubYear(self.club, require_year(year))
        title = _("%(year)s in books") % {"year": year}
        return card_response(render_card(statistics, title=title, name=self.club.name if self.shows_name else ""))

    @property
    def shows_name(self) -> bool:
        """Whether the picture shows the club's name. Raises InvalidParameter."""
        text = self.request.query_params.get("club_name")
        if text is None:
            return not self.club.is_private
        if text not in ("true", "false"):
            raise InvalidParameter([{"field": "club_name", "code": "invalid", "detail": _("Must be true or false.")}])
        return bool(text == "true")


class UserYearView(APIView):
    """The current user's year in books."""

    @extend_schema(summary="Get your year in books", responses=YearInBooksSerializer)
    def get(self, request: Request, year: int) -> Response:
        """Return the books that you finished in the year, in your time zone; those of hidden progress are left out."""
        return Response(YearInBooksSerializer(UserYear(current_user(request), require_year(year))).data)


class UserYearCardView(APIView):
    """The current user's year in books as a picture."""

    content_negotiation_class = IgnoreAcceptNegotiation

    @extend_schema(summary="Get your year as a picture", responses=CARD_RESPONSE)
    def get(self, request: Request, year: int) -> HttpResponse:
        """Return a PNG of 1200 x 630 pixels to share, in your language and without the names of your clubs."""
        user = current_user(request)
        title = _("My %(year)s in books") % {"year": require_year(year)}
        name = user.display_name or user.username
        return card_response(render_card(UserYear(user, year), title=title, name=name))
