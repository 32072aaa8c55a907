"""Views of readings."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from core.api.views import GenericViewSet, validate
from readings.filters import ReadingFilter
from readings.models import Reading, ReadingQuerySet
from readings.serializers import ReadingCreateSerializer, ReadingSerializer


@extend_schema_view(
    list=extend_schema(summary="List your readings, newest first"),
    retrieve=extend_schema(summary="Get one of your readings"),
    partial_update=extend_schema(
        summary="Update one of your readings",
        description="The next progress in a club replaces the changes of a reading with an `entry`.",
    ),
    destroy=extend_schema(summary="Delete one of your readings"),
)
class ReadingViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """The caller's readings, which nobody else sees. Progress in clubs and imports make them, too."""

    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    queryset = Reading.objects.none()
    lookup_url_kwarg = "reading_id"
    serializer_class = ReadingSerializer
    filterset_class = ReadingFilter
    ordering_fields: ClassVar = {"-created_at": ("-id",)}

    def get_queryset(self) -> ReadingQuerySet:
        return Reading.objects.visible_to(self.request.user).for_serializer()

    @extend_schema(summary="Add a reading", request=ReadingCreateSerializer, responses={201: ReadingSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a book that you have read or are reading outside of clubs; a book may be added several times."""
        values = validate(ReadingCreateSerializer(data=request.data, context=self.get_serializer_context()))
        reading = Reading.create_reading(by=current_user(request), **values)
        return Response(self.get_serializer(reading).data, status=status.HTTP_201_CREATED)

    def perform_update(self, serializer: BaseSerializer[Reading]) -> None:
        reading: Any = serializer.instance
        reading.user = current_user(self.request)
        reading.update_reading(**serializer.validated_data)

    def perform_destroy(self, instance: Reading) -> None:
        instance.delete_reading()
