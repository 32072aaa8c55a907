"""Reports and appeals over HTTP (api.md, section 11). Staff work in the admin."""

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
    """The base of what readers put before the staff: a form about a case."""

    def perform(self, request: Request, **data: Any) -> Response:
        """The answer is what was filed."""
        case = data.pop("case")
        made = self.file(by=caller(request), **case, **data)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    def file(self, *, by: User, **fields: Any) -> Report | Appeal:
        """Put it before the staff."""
        raise NotImplementedError


@extend_schema(
    summary="Report something that breaks the rules",
    description="Once for each reader and thing. Nobody but the staff learns who reported.",
    responses={
        201: ReportSerializer,
        **problem(403, "`own_content`."),
        **problem(409, "`already_reported`."),
    },
)
class ReportView(FilingView):
    """Reports by readers."""

    serializer_class = ReportSerializer

    def file(self, *, by: User, **fields: Any) -> Report:
        """Nobody but the staff learns by whom."""
        return services.report(by=by, **fields)


@extend_schema(
    summary="Disagree with a decision about something of one's own",
    description="Once for each decision; somebody else than who decided answers.",
    responses={
        201: AppealSerializer,
        **problem(403, "`not_yours`."),
        **problem(409, "`already_appealed` or `nothing_to_appeal`."),
    },
)
class AppealView(FilingView):
    """Appeals by authors."""

    serializer_class = AppealSerializer

    def file(self, *, by: User, **fields: Any) -> Appeal:
        """Somebody else than who decided answers."""
        return services.appeal(by=by, **fields)
