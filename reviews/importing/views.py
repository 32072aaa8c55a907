"""Imports over HTTP (api.md, section 8)."""

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
    **problem(409, "`too_many_imports`: three of the caller's are under way."),
    **problem(413, "`too_large`: the file is larger than 5 MB."),
}


@extend_schema_view(retrieve=extend_schema(summary="How far an import is"))
class ImportViewSet(mixins.RetrieveModelMixin, GenericViewSet):
    """What readers bring along from other places."""

    lookup_url_kwarg = "import_id"
    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]
    queryset = Import.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> ImportQuerySet:
        """The caller's own, without the files."""
        return Import.objects.visible_to(self.request.user).defer("content")

    @extend_schema(
        summary="Bring reviews along from Goodreads or The StoryGraph", request=NewImportSerializer, responses=BEGUN
    )
    def create(self, request: Request) -> Response:
        """The import begins soon; its address tells how far it is."""
        fields = checked(NewImportSerializer(data=request.data))
        data = fields.pop("file").read()
        work = begin(by=caller(request), data=data, **fields)
        return Response(self.get_serializer(work).data, status=status.HTTP_202_ACCEPTED)
