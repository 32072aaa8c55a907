"""View of club statistics (api.md, section 9)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api.views import APIView
from clubs.access import ClubScoped, Level
from clubs.statistics.figures import ClubFigures
from clubs.statistics.serializers import ClubFiguresSerializer


class ClubStatsView(ClubScoped, APIView):
    """Statistics of a club."""

    levels = {"get": Level.ANYONE}

    @extend_schema(summary="Get the statistics of a club", responses=ClubFiguresSerializer)
    def get(self, request: Request, club_id: int) -> Response:
        """Return the current statistics of the club."""
        return Response(ClubFiguresSerializer(ClubFigures(self.club)).data)
