"""Reports and appeals over HTTP (api.md, section 11). Staff work in the admin."""

from typing import cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from bookbridge.api.views import GenericAPIView
from moderation import services
from moderation.models import Appeal, Report
from moderation.serializers import AppealSerializer, ReportSerializer

PROBLEM = {"$ref": "#/components/schemas/Problem"}


class ReportView(GenericAPIView):
    """Reports by readers."""

    queryset = Report.objects.none()
    serializer_class = ReportSerializer

    @extend_schema(
        summary="Report something that breaks the rules",
        responses={
            201: ReportSerializer,
            403: OpenApiResponse(PROBLEM, description="`own_content`."),
            409: OpenApiResponse(PROBLEM, description="`already_reported`."),
        },
    )
    def post(self, request: Request) -> Response:
        """Once for each reader and thing. Nobody but the staff learns who reported."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        made = services.report(by=cast(User, request.user), **fields.pop("case"), **fields)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


class AppealView(GenericAPIView):
    """Appeals by authors."""

    queryset = Appeal.objects.none()
    serializer_class = AppealSerializer

    @extend_schema(
        summary="Disagree with a decision about something of one's own",
        responses={
            201: AppealSerializer,
            403: OpenApiResponse(PROBLEM, description="`not_yours`."),
            409: OpenApiResponse(PROBLEM, description="`already_appealed` or `nothing_to_appeal`."),
        },
    )
    def post(self, request: Request) -> Response:
        """Once for each decision; somebody else than who decided answers."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        made = services.appeal(by=cast(User, request.user), **fields.pop("case"), **fields)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)
