"""API views of imports."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from core.api.responses import problem_schema
from core.api.views import GenericViewSet, validate
from reviews.imports.serializers import ImportCreateSerializer, ImportSerializer
from reviews.imports.services import start_import
from reviews.models import ImportQuerySet, ReviewImport

CREATED_RESPONSES: Any = {
    202: ImportSerializer,
    **problem_schema(
        400,
        "For `file`: `not_csv`, `wrong_columns` (the text names the missing columns and those found), "
        "`duplicate_columns`, `too_many_rows`.",
    ),
    **problem_schema(409, "`too_many_imports`: you already have three unfinished imports."),
    **problem_schema(413, "`too_large`: the file is larger than 5 MB."),
}


@extend_schema_view(
    list=extend_schema(summary="List your imports, newest first"),
    retrieve=extend_schema(summary="Get the progress of an import"),
)
class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Imports of reviews from other services."""

    lookup_url_kwarg = "import_id"
    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]
    queryset = ReviewImport.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> ImportQuerySet:
        """Defer the stored file, which no response shows."""
        return ReviewImport.objects.visible_to(self.request.user).defer("content")

    @extend_schema(
        summary="Import reviews and readings from another service",
        request=ImportCreateSerializer,
        responses=CREATED_RESPONSES,
    )
    def create(self, request: Request) -> Response:
        """Queue the import. Get its URL to see the progress."""
        fields = validate(ImportCreateSerializer(data=request.data))
        data = fields.pop("file").read()
        review_import = start_import(by=current_user(request), data=data, **fields)
        return Response(self.get_serializer(review_import).data, status=status.HTTP_202_ACCEPTED)
