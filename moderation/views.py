"""API views of reports and appeals."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.models import User
from core.api.responses import problem_schema
from core.api.views import ActionView
from moderation import services
from moderation.models import Appeal, Report
from moderation.serializers import AppealSerializer, ReportSerializer


class SubmissionView(ActionView):
    """Base view of reports and appeals."""

    def perform(self, request: Request, **data: Any) -> Response:
        target = data.pop("case")  # target_type and target_id
        created = self.submit(by=current_user(request), **target, **data)
        return Response(self.get_serializer(created).data, status=status.HTTP_201_CREATED)

    def submit(self, *, by: User, **fields: Any) -> Report | Appeal:
        raise NotImplementedError


@extend_schema(
    summary="Report something that breaks the rules",
    description="At most one report per user and object. Only staff can see who reported it.",
    responses={
        201: ReportSerializer,
        **problem_schema(403, "`own_content`."),
        **problem_schema(409, "`already_reported`."),
    },
)
class ReportView(SubmissionView):
    """Report an object to the moderators."""

    serializer_class = ReportSerializer

    def submit(self, *, by: User, **fields: Any) -> Report:
        return services.create_report(by=by, **fields)


@extend_schema(
    summary="Appeal a decision about your own content",
    description="At most one appeal per decision. Another moderator answers it.",
    responses={
        201: AppealSerializer,
        **problem_schema(403, "`not_yours`."),
        **problem_schema(409, "`already_appealed` or `nothing_to_appeal`."),
    },
)
class AppealView(SubmissionView):
    """Appeal a decision of the moderators."""

    serializer_class = AppealSerializer

    def submit(self, *, by: User, **fields: Any) -> Appeal:
        return services.create_appeal(by=by, **fields)
