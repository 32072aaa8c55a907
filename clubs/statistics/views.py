"""A club's figures over HTTP (api.md, section 9)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api.views import APIView
from clubs.access import ClubScoped, Level
from clubs.statistics.figures import ClubFigures
from clubs.statistics.serializers import ClubFiguresSerializer


class ClubStatsView(ClubScoped, APIView):
    """A club's figures, for whoever sees the club."""

    levels = {"get": Level.ANYONE}

    @extend_schema(summary="A club's figures", responses=ClubFiguresSerializer)
    def get(self, request: Request, club_id: int) -> Response:
        """All of them as they are now."""
        return Response(ClubFiguresSerializer(ClubFigures(self.club)).data)
