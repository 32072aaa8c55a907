"""Views of statistics and of the home screen."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from catalog.versions import CATALOG_VERSION
from clubs.access import AccessLevel, ClubAccessMixin
from core.api.exceptions import InvalidParameter
from core.api.numbers import parse_integer
from core.api.views import APIView
from core.counters.counters import TOTALS_VERSION
from stats.club_statistics import ClubStatistics
from stats.home import HomeScreen
from stats.platform_statistics import DEFAULT_MIN_RATINGS, PlatformStatistics
from stats.serializers import (
    ClubStatisticsSerializer,
    HomeSerializer,
    PlatformStatisticsSerializer,
    UserStatisticsSerializer,
)
from stats.user_statistics import UserStatistics

# Limits of the `min_ratings` parameter.
LOWEST, HIGHEST = 1, 100_000
MIN_RATINGS_SCHEMA = {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST, "default": DEFAULT_MIN_RATINGS}


class PlatformStatsView(APIView):
    """Statistics of the platform. No authentication needed."""

    permission_classes = [AllowAny]
    allowed_query_params = ("min_ratings",)
    cached_actions = {"get": (TOTALS_VERSION, CATALOG_VERSION)}

    @extend_schema(
        summary="Get the statistics of the platform",
        parameters=[
            OpenApiParameter(
                "min_ratings", MIN_RATINGS_SCHEMA, description="Minimum number of ratings of a top rated book."
            )
        ],
        responses=PlatformStatisticsSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(PlatformStatisticsSerializer(PlatformStatistics(parse_min_ratings(request))).data)


def parse_min_ratings(request: Request) -> int:
    """Parse the `min_ratings` query parameter. Raises InvalidParameter."""
    text = request.query_params.get("min_ratings", str(DEFAULT_MIN_RATINGS))
    number = parse_integer(text, min_value=LOWEST, max_value=HIGHEST)
    if number is not None:
        return number
    detail = _("Must be a whole number from %(least)s to %(most)s.") % {"least": LOWEST, "most": HIGHEST}
    raise InvalidParameter([{"field": "min_ratings", "code": "invalid", "detail": detail}])


class ClubStatsView(ClubAccessMixin, APIView):
    """Statistics of a club."""

    access_levels = {"get": AccessLevel.ANYONE}

    @extend_schema(summary="Get the statistics of a club", responses=ClubStatisticsSerializer)
    def get(self, request: Request, club_id: int) -> Response:
        """Return the current statistics of the club."""
        return Response(ClubStatisticsSerializer(ClubStatistics(self.club)).data)


class UserStatsView(APIView):
    """Statistics of the current user."""

    @extend_schema(summary="Get your own statistics", responses=UserStatisticsSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserStatisticsSerializer(UserStatistics(current_user(request))).data)


class HomeView(APIView):
    """Home screen of the user."""

    @extend_schema(summary="Get the home screen", responses=HomeSerializer)
    def get(self, request: Request) -> Response:
        """Return the user's clubs with their current book, next meeting and open ballots."""
        home = HomeScreen(current_user(request))
        return Response(HomeSerializer(home, context={"request": request, "home": home}).data)
