"""API views of imports (api.md, section 8)."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller
from bookbridge.api.responses import problem
from bookbridge.api.views import GenericViewSet, checked
from reviews.importing.models import Import, ImportQuerySet
from reviews.importing.serializers import ImportSerializer, NewImportSerializer
from reviews.importing.services import begin

BEGUN: Any = {
    202: ImportSerializer,
    **problem(409, "`too_many_imports`: you already have three unfinished imports."),
    **problem(413, "`too_large`: the file is larger than 5 MB."),
}


@extend_schema_view(retrieve=extend_schema(summary="Get the progress of an import"))
class ImportViewSet(mixins.RetrieveModelMixin, GenericViewSet):
    """Imports of reviews from other services."""

    lookup_url_kwarg = "import_id"
    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]
    queryset = Import.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> ImportQuerySet:
        """Defer the stored file, which no response shows."""
        return Import.objects.visible_to(self.request.user).defer("content")

    @extend_schema(
        summary="Import reviews from Goodreads or The StoryGraph", request=NewImportSerializer, responses=BEGUN
    )
    def create(self, request: Request) -> Response:
        """Queue the import. Get its URL to see the progress."""
        fields = checked(NewImportSerializer(data=request.data))
        data = fields.pop("file").read()
        work = begin(by=caller(request), data=data, **fields)
        return Response(self.get_serializer(work).data, status=status.HTTP_202_ACCEPTED)
