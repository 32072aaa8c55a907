"""Views of opinions."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from catalog.ratings import average_from_histogram, histogram
from clubs.access import AccessLevel
from clubs.reading.views import EntryAccessMixin
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet, validate
from opinions.models import Opinion, OpinionQuerySet, Seal
from opinions.pagination import OpinionPagination
from opinions.serializers import MyOpinionSerializer, NullableMyOpinionSerializer, OpinionSerializer


class OpinionViewSet(EntryAccessMixin, mixins.ListModelMixin, GenericViewSet):
    """Opinions of the members on a book. While they are sealed, each member sees only their own."""

    access_levels = {"list": AccessLevel.MEMBER, "open": AccessLevel.MODERATOR}
    queryset = Opinion.objects.none()
    serializer_class = OpinionSerializer
    pagination_class = OpinionPagination
    ordering_fields: ClassVar = {"-updated_at": ("-updated_at", "-id")}
    responds_with_object = False

    def get_queryset(self) -> OpinionQuerySet:
        return Opinion.objects.visible_to(self.request.user).filter(entry=self.entry).select_related("user")

    @extend_schema(summary="List the members' opinions")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the opinions, with their mean rating once they are open."""
        # Read before the rows, so that opinions that open in between are summarized as sealed.
        seal = Seal.objects.filter(entry=self.entry).first()
        is_sealed = seal is not None and seal.is_closed
        response = super().list(request, *args, **kwargs)
        response.data |= summarize(Opinion.objects.filter(entry=self.entry), seal=seal, is_sealed=is_sealed)
        return response

    @extend_schema(
        summary="Open the opinions",
        request=None,
        responses={200: OpinionSerializer(many=True), **problem_schema(409, "`already_open`.")},
    )
    def open(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open the opinions before the meeting begins. They are never sealed again. Moderators only."""
        Seal.open_now(entry=self.entry, by=current_user(request))
        return self.list(request)


def summarize(opinions: OpinionQuerySet, *, seal: Seal | None, is_sealed: bool) -> dict[str, Any]:
    """Return the summary of a list of opinions. If they are sealed, it has only their number."""
    summary = opinions.summarize()
    mean = average_from_histogram(summary["ratings"])
    return {
        "sealed": is_sealed,
        "opens_at": seal and seal.opens_at,
        "given": summary["given"],
        "mean": None if is_sealed or mean is None else float(mean),
        "histogram": None if is_sealed else histogram(summary["ratings"]),
        "changed_minds": None if is_sealed else summary["changed_minds"],
    }


class MyOpinionViewSet(EntryAccessMixin, GenericViewSet):
    """The caller's own opinion on a book."""

    access_levels = dict.fromkeys(("retrieve", "update", "destroy"), AccessLevel.MEMBER)
    queryset = Opinion.objects.none()
    serializer_class = MyOpinionSerializer

    @extend_schema(summary="Get your opinion", responses=NullableMyOpinionSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Get the caller's own opinion. Without one, `text` is empty and all other fields are null."""
        return Response(NullableMyOpinionSerializer(self.get_object()).data)

    @extend_schema(summary="Give your opinion", responses=MyOpinionSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give an opinion, or replace it. After the opening, `rating_at_opening` does not change."""
        if self.is_conditional:
            self.get_object()
        values = validate(MyOpinionSerializer(data=request.data))
        opinion = Opinion.set_opinion(entry=self.entry, by=current_user(request), **values)
        return Response(MyOpinionSerializer(opinion).data)

    @extend_schema(summary="Delete your opinion", responses={204: NO_CONTENT})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Idempotent: also succeeds without an opinion."""
        if self.is_conditional:
            self.get_object()
        Opinion.delete_opinion(entry=self.entry, by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_unlocked_object(self) -> Opinion:
        own = Opinion.objects.filter(entry=self.entry, user=current_user(self.request)).first()
        return own or Opinion(entry=self.entry, read=cast(Any, None), updated_at=cast(Any, None))

    def get_data(self, obj: Opinion) -> Mapping[str, Any]:
        return NullableMyOpinionSerializer(obj).data
