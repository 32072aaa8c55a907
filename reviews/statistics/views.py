"""API views of statistics (api.md, section 9)."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller
from bookbridge.api.counters import TOTALS
from bookbridge.api.errors import InvalidParameter
from bookbridge.api.views import APIView
from catalog.models import CATALOGUE
from reviews.statistics.platform import PlatformFigures
from reviews.statistics.reader import ReaderFigures
from reviews.statistics.serializers import PlatformFiguresSerializer, ReaderFiguresSerializer

FEWEST, MOST, DEFAULT = 1, 100_000, 10
BOUNDS = {"type": "integer", "minimum": FEWEST, "maximum": MOST, "default": DEFAULT}


class PlatformStatsView(APIView):
    """Statistics of the platform. No authentication needed."""

    permission_classes = [AllowAny]
    query_parameters = ("min_ratings",)
    kept = {"get": (TOTALS, CATALOGUE)}

    @extend_schema(
        summary="Get the statistics of the platform",
        parameters=[
            OpenApiParameter("min_ratings", BOUNDS, description="Minimum number of ratings of a top rated book.")
        ],
        responses=PlatformFiguresSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(PlatformFiguresSerializer(PlatformFigures(min_ratings(request))).data)


class ReaderStatsView(APIView):
    """Statistics of the current user."""

    @extend_schema(summary="Get your own statistics", responses=ReaderFiguresSerializer)
    def get(self, request: Request) -> Response:
        return Response(ReaderFiguresSerializer(ReaderFigures(caller(request))).data)


def min_ratings(request: Request) -> int:
    """Parse the `min_ratings` query parameter. Raises InvalidParameter."""
    given = request.query_params.get("min_ratings", str(DEFAULT))
    if given.isascii() and given.isdigit() and len(given) < 10 and FEWEST <= int(given) <= MOST:
        return int(given)
    detail = _("Must be a whole number from %(least)s to %(most)s.") % {"least": FEWEST, "most": MOST}
    raise InvalidParameter([{"field": "min_ratings", "code": "invalid", "detail": detail}])
