"""API views of reviews (api.md, section 8)."""

from typing import Any, ClassVar, cast

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import caller
from accounts.models import PEOPLE
from bookbridge.api.responses import NOTHING, problem
from bookbridge.api.views import GenericViewSet
from catalog.leading import lead_on
from catalog.models import ANY_BOOK, Book
from clubs.access import ClubScoped, Level
from reviews.filters import ReviewFilter
from reviews.models import Review
from reviews.permissions import IsAuthor
from reviews.querysets import ReviewQuerySet
from reviews.serializers import NewReviewSerializer, ReviewSerializer

CREATED = {201: ReviewSerializer, **problem(409, "`already_reviewed`.")}


class ReviewLists(mixins.ListModelMixin, GenericViewSet):
    """Base of all review lists; they contain only reviews the current user may read."""

    serializer_class: type[BaseSerializer[Any]] = ReviewSerializer
    filterset_class = ReviewFilter
    queryset = Review.objects.none()
    words = ("-created_at", "-rating", "-likes_count")
    public_actions: ClassVar[tuple[str, ...]] = ("list",)

    @property
    def orderings(self) -> dict[str, tuple[str, ...]]:
        """Map `ordering` choices to fields; a list of one book starts with the book (`ReviewQuerySet.for_book`)."""
        within = ("-book_id",) if self.is_of_one_book else ()
        return {word: (*within, word, "-id") for word in self.words}

    @property
    def is_of_one_book(self) -> bool:
        return bool(self.request and "book" in self.request.query_params)

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.action in self.public_actions else IsAuthenticated()]

    def get_queryset(self) -> ReviewQuerySet:
        return Review.objects.visible_to(self.request.user).for_answer(self.request.user)

    def write(self, serializer: BaseSerializer[Review], **fields: Any) -> None:
        """Create the review and load it again with the annotations of the serializer."""
        review = Review.write(by=caller(self.request), **serializer.validated_data, **fields)
        serializer.instance = get_object_or_404(self.get_queryset(), pk=review.pk)


@extend_schema_view(
    list=extend_schema(summary="List reviews"),
    create=extend_schema(summary="Review a book", responses=CREATED),
    retrieve=extend_schema(summary="Get a review"),
    update=extend_schema(summary="Update a review", responses=ReviewSerializer),
    partial_update=extend_schema(summary="Update some fields of a review", responses=ReviewSerializer),
    destroy=extend_schema(summary="Delete a review"),
)
class ReviewViewSet(
    mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, ReviewLists
):
    """Reviews of books. Public reviews can be read by anyone; only the author can change a review."""

    public_actions = ("list", "retrieve")
    lookup_url_kwarg = "review_id"

    def get_permissions(self) -> list[BasePermission]:
        author = [IsAuthor()] if self.action in ("update", "partial_update", "destroy") else []
        return [*super().get_permissions(), *author]

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return NewReviewSerializer if self.action in ("create", "update") else ReviewSerializer

    def lock(self, obj: Review) -> None:  # type: ignore[override]
        """Lock the same rows, in the same order, as the write that follows the precondition."""
        obj.lock(with_user=caller(self.request))

    def perform_create(self, serializer: BaseSerializer[Review]) -> None:
        self.write(serializer)

    def perform_update(self, serializer: BaseSerializer[Review]) -> None:
        fields = {name: value for name, value in serializer.validated_data.items() if name != "book"}
        cast(Review, serializer.instance).change(**fields)

    def perform_destroy(self, instance: Review) -> None:
        instance.remove(by=caller(self.request))

    @extend_schema(summary="Like a review", request=None, responses={204: NOTHING})
    @action(detail=True, methods=["put"])
    def like(self, request: Request, review_id: int) -> Response:
        """Like a review. Idempotent."""
        self.get_object().like(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Unlike a review", request=None, responses={204: NOTHING})
    @like.mapping.delete
    def unlike(self, request: Request, review_id: int) -> Response:
        """Remove your like. Idempotent."""
        self.get_object().unlike(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="List the reviews of a book"),
    create=extend_schema(summary="Review the book", responses=CREATED),
)
class BookReviewViewSet(mixins.CreateModelMixin, ReviewLists):
    """The reviews of one book."""

    is_of_one_book = True
    leads_on = True
    kept_for_strangers: ClassVar = {"list": (ANY_BOOK, "book:{book_id}", PEOPLE)}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Respond 404 if the book does not exist, before the body is validated."""
        super().initial(request, *args, **kwargs)
        if self.action in ("list", "create"):
            self.book  # noqa: B018  looked up for its 404

    @cached_property
    def book(self) -> Book:
        """Return the book of the path. Redirects if it was merged into another one."""
        pk = self.kwargs["book_id"]
        book = Book.objects.visible_to(self.request.user).only("pk").filter(pk=pk).first()
        if book is None:
            lead_on(self.request, pk)
            raise Http404
        return book

    def get_queryset(self) -> ReviewQuerySet:
        return super().get_queryset().of_book(self.kwargs["book_id"])

    def perform_create(self, serializer: BaseSerializer[Review]) -> None:
        self.write(serializer, book=self.book)


@extend_schema_view(list=extend_schema(summary="List the reviews by a club's members of books on its reading list"))
class ClubReviewViewSet(ClubScoped, ReviewLists):
    """Reviews by the members of a club of books on its reading list."""

    levels = {"list": Level.ANYONE}

    def get_queryset(self) -> ReviewQuerySet:
        return super().get_queryset().of_club(self.club)
