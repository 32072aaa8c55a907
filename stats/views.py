"""API views of statistics (api.md, section 9)."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from catalog.models import CATALOG_VERSION
from clubs.access import AccessLevel, ClubAccessMixin
from core.api.exceptions import InvalidParameter
from core.api.views import APIView
from core.counters.counters import TOTALS_VERSION
from stats.club_statistics import ClubStatistics
from stats.platform_statistics import PlatformStatistics
from stats.serializers import ClubStatisticsSerializer, PlatformStatisticsSerializer, UserStatisticsSerializer
from stats.user_statistics import UserStatistics

MIN_RATINGS, MAX_RATINGS, DEFAULT = 1, 100_000, 10
BOUNDS = {"type": "integer", "minimum": MIN_RATINGS, "maximum": MAX_RATINGS, "default": DEFAULT}


class PlatformStatsView(APIView):
    """Statistics of the platform. No authentication needed."""

    permission_classes = [AllowAny]
    allowed_query_params = ("min_ratings",)
    cached_actions = {"get": (TOTALS_VERSION, CATALOG_VERSION)}

    @extend_schema(
        summary="Get the statistics of the platform",
        parameters=[
            OpenApiParameter("min_ratings", BOUNDS, description="Minimum number of ratings of a top rated book.")
        ],
        responses=PlatformStatisticsSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(PlatformStatisticsSerializer(PlatformStatistics(min_ratings(request))).data)


class UserStatsView(APIView):
    """Statistics of the current user."""

    @extend_schema(summary="Get your own statistics", responses=UserStatisticsSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserStatisticsSerializer(UserStatistics(current_user(request))).data)


def min_ratings(request: Request) -> int:
    """Parse the `min_ratings` query parameter. Raises InvalidParameter."""
    given = request.query_params.get("min_ratings", str(DEFAULT))
    if given.isascii() and given.isdigit() and len(given) < 10 and MIN_RATINGS <= int(given) <= MAX_RATINGS:
        return int(given)
    detail = _("Must be a whole number from %(least)s to %(most)s.") % {"least": MIN_RATINGS, "most": MAX_RATINGS}
    raise InvalidParameter([{"field": "min_ratings", "code": "invalid", "detail": detail}])


class ClubStatsView(ClubAccessMixin, APIView):
    """Statistics of a club."""

    access_levels = {"get": AccessLevel.ANYONE}

    @extend_schema(summary="Get the statistics of a club", responses=ClubStatisticsSerializer)
    def get(self, request: Request, club_id: int) -> Response:
        """Return the current statistics of the club."""
        return Response(ClubStatisticsSerializer(ClubStatistics(self.club)).data)
