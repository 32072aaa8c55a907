"""API views of reports and appeals (api.md, section 11)."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.models import User
from bookbridge.api.responses import problem
from bookbridge.api.views import FormView
from moderation import services
from moderation.models import Appeal, Report
from moderation.serializers import AppealSerializer, ReportSerializer


class FilingView(FormView):
    """Base view of reports and appeals."""

    def perform(self, request: Request, **data: Any) -> Response:
        case = data.pop("case")
        created = self.file(by=caller(request), **case, **data)
        return Response(self.get_serializer(created).data, status=status.HTTP_201_CREATED)

    def file(self, *, by: User, **fields: Any) -> Report | Appeal:
        raise NotImplementedError


@extend_schema(
    summary="Report something that breaks the rules",
    description="At most one report per user and object. Only staff can see who reported it.",
    responses={
        201: ReportSerializer,
        **problem(403, "`own_content`."),
        **problem(409, "`already_reported`."),
    },
)
class ReportView(FilingView):
    """Report an object to the moderators."""

    serializer_class = ReportSerializer

    def file(self, *, by: User, **fields: Any) -> Report:
        return services.report(by=by, **fields)


@extend_schema(
    summary="Appeal a decision about your own content",
    description="At most one appeal per decision. Another moderator answers it.",
    responses={
        201: AppealSerializer,
        **problem(403, "`not_yours`."),
        **problem(409, "`already_appealed` or `nothing_to_appeal`."),
    },
)
class AppealView(FilingView):
    """Appeal a decision of the moderators."""

    serializer_class = AppealSerializer

    def file(self, *, by: User, **fields: Any) -> Appeal:
        return services.appeal(by=by, **fields)
