"""Views of sections."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from clubs.access import AccessLevel
from clubs.reading.models import Entry, Section
from clubs.reading.sections.serializers import SectionListSerializer, SectionsUpdateSerializer
from clubs.reading.views import EntryAccessMixin
from clubs.roles import Rank
from core.api.responses import NO_CONTENT
from core.api.views import GenericAPIView, validate


class SectionsView(EntryAccessMixin, GenericAPIView):
    """Sections of a book: names for percentages, so that readers of different editions mean the same place."""

    http_method_names = ["get", "head", "options", "put", "delete"]
    access_levels = {"get": AccessLevel.MEMBER, "put": AccessLevel.MODERATOR, "delete": AccessLevel.MODERATOR}
    queryset = Section.objects.none()
    serializer_class = SectionListSerializer

    def get_unlocked_object(self) -> Entry:
        return self.entry

    def lock_object(self, obj: Any) -> None:
        obj.lock()

    def get_data(self, obj: Entry) -> Mapping[str, Any]:
        """Return the sections, without the titles of those that the caller has not reached."""
        rows: list[Any] = list(Section.objects.filter(entry=obj).with_access_of(current_user(self.request)))
        starts = [0, *(row.up_to_percent for row in rows)]
        for row, start in zip(rows, starts, strict=False):
            is_reached = row.is_open or (row.own_percent or 0) > start
            if not (is_reached or self.club.my_rank >= Rank.MODERATOR):
                row.title = None
        data: Mapping[str, Any] = SectionListSerializer({"sections": rows}).data
        return data

    @extend_schema(summary="Get the sections of a book", responses=SectionListSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Titles of sections that you have not reached are null. Moderators see all titles."""
        return Response(self.get_data(self.entry))

    @extend_schema(
        summary="Set the sections of a book", request=SectionsUpdateSerializer, responses=SectionListSerializer
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replace all sections. They end at ascending percentages, the last one at 100. Moderators only."""
        entry = self.get_object()
        values = validate(SectionsUpdateSerializer(data=request.data))
        Section.set_sections(entry=entry, by=current_user(request), **values)
        return Response(self.get_data(entry))

    @extend_schema(summary="Delete the sections of a book", responses={204: NO_CONTENT})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Posts keep their percentages. Idempotent. Moderators only."""
        Section.set_sections(entry=self.get_object(), by=current_user(request), sections=[])
        return Response(status=status.HTTP_204_NO_CONTENT)
