"""Views of availability."""

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from availability.models import MAX_LENDERS, Availability
from availability.serializers import (
    AccessSerializer,
    LendingSerializer,
    MyAccessSerializer,
    NullableMyAccessSerializer,
)
from clubs.access import AccessLevel
from clubs.reading.views import EntryAccessMixin
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericAPIView, GenericViewSet, validate


class AccessView(EntryAccessMixin, GenericAPIView):
    """Whether the members can get the book."""

    access_levels = {"get": AccessLevel.MEMBER}
    queryset = Availability.objects.none()
    serializer_class = AccessSerializer

    @extend_schema(summary="Get who can get the book")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return how many members have the book, can and cannot get it, and who lends it. Nobody learns who cannot."""
        rows = Availability.objects.filter(entry=self.entry)
        lenders = list(rows.lenders(current_user(request))[:MAX_LENDERS])
        counts = Availability.objects.count_answers(self.entry)
        return Response(self.get_serializer({**counts, "lenders": lenders}).data)


class MyAccessViewSet(EntryAccessMixin, GenericViewSet):
    """Whether the caller can get the book."""

    access_levels = dict.fromkeys(("retrieve", "update", "destroy", "lend"), AccessLevel.MEMBER)
    queryset = Availability.objects.none()
    serializer_class = MyAccessSerializer

    @extend_schema(summary="Get whether you can get the book", responses=NullableMyAccessSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Get the caller's own answer; with nulls before it is given."""
        return Response(NullableMyAccessSerializer(self.get_object()).data)

    @extend_schema(summary="Say whether you can get the book", responses=MyAccessSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer, or replace the answer. A book that is no longer offered is not lent any more."""
        if self.is_conditional:
            self.get_object()
        values = validate(MyAccessSerializer(data=request.data))
        row = Availability.set_answer(entry=self.entry, by=current_user(request), **values)
        return Response(MyAccessSerializer(row).data)

    @extend_schema(summary="Withdraw your answer", responses={204: NO_CONTENT})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Idempotent: also succeeds without an answer."""
        if self.is_conditional:
            self.get_object()
        Availability.delete_answer(entry=self.entry, by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Lend your copy",
        request=LendingSerializer,
        responses={200: MyAccessSerializer, **problem_schema(403, "`lender_only`: you do not lend the book.")},
    )
    def lend(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Record to which member your copy is lent, or that it is back. Only for members who lend the book."""
        if self.is_conditional:
            self.get_object()
        values = validate(LendingSerializer(data=request.data))
        row = Availability.lend(entry=self.entry, by=current_user(request), **values)
        return Response(MyAccessSerializer(row).data)

    def get_unlocked_object(self) -> Availability:
        rows = Availability.objects.filter(entry=self.entry, user=current_user(self.request))
        return rows.select_related("lent_to").first() or Availability(entry=self.entry, answer=cast(Any, None))

    def get_data(self, obj: Availability) -> Mapping[str, Any]:
        return NullableMyAccessSerializer(obj).data
