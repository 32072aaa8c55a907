"""Reviews over HTTP (api.md, section 8)."""

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
    """The base of every list of reviews: whatever it is about, it holds what the caller may read."""

    serializer_class: type[BaseSerializer[Any]] = ReviewSerializer
    filterset_class = ReviewFilter
    queryset = Review.objects.none()
    words = ("-created_at", "-rating", "-likes_count")
    public_actions: ClassVar[tuple[str, ...]] = ("list",)

    @property
    def orderings(self) -> dict[str, tuple[str, ...]]:
        """Each word with its fields; within a book the book comes first (`ReviewQuerySet.of_book`)."""
        within = ("-book_id",) if self.is_of_one_book else ()
        return {word: (*within, word, "-id") for word in self.words}

    @property
    def is_of_one_book(self) -> bool:
        """Whether the list is asked for one book."""
        return bool(self.request and "book" in self.request.query_params)

    def get_permissions(self) -> list[BasePermission]:
        """Reading is for anyone."""
        return [AllowAny() if self.action in self.public_actions else IsAuthenticated()]

    def get_queryset(self) -> ReviewQuerySet:
        """The reviews the caller may read, with what the answer shows."""
        return Review.objects.visible_to(self.request.user).for_answer(self.request.user)

    def write(self, serializer: BaseSerializer[Review], **fields: Any) -> None:
        """As the model says; then read back for the answer."""
        review = Review.write(by=caller(self.request), **serializer.validated_data, **fields)
        serializer.instance = get_object_or_404(self.get_queryset(), pk=review.pk)


@extend_schema_view(
    list=extend_schema(summary="Reviews, newest first"),
    create=extend_schema(summary="Review a book", responses=CREATED),
    retrieve=extend_schema(summary="One review"),
    update=extend_schema(summary="Change a review", responses=ReviewSerializer),
    partial_update=extend_schema(summary="Change some of a review", responses=ReviewSerializer),
    destroy=extend_schema(summary="Take a review back"),
)
class ReviewViewSet(
    mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, ReviewLists
):
    """What readers think of books: everybody reads what is public, authors change their own."""

    public_actions = ("list", "retrieve")
    lookup_url_kwarg = "review_id"

    def get_permissions(self) -> list[BasePermission]:
        """Changing one is for its author."""
        author = [IsAuthor()] if self.action in ("update", "partial_update", "destroy") else []
        return [*super().get_permissions(), *author]

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """The body of a whole review names its book."""
        return NewReviewSerializer if self.action in ("create", "update") else ReviewSerializer

    def lock(self, obj: Review) -> None:  # type: ignore[override]
        """For a conditional write: all that the write below locks, in the same order."""
        obj.lock(with_user=caller(self.request))

    def perform_create(self, serializer: BaseSerializer[Review]) -> None:
        """As the model says."""
        self.write(serializer)

    def perform_update(self, serializer: BaseSerializer[Review]) -> None:
        """As the model says; what was not sent stays as it is, and so does the book."""
        fields = {name: value for name, value in serializer.validated_data.items() if name != "book"}
        cast(Review, serializer.instance).change(**fields)

    def perform_destroy(self, instance: Review) -> None:
        """As the model says."""
        instance.remove(by=caller(self.request))

    @extend_schema(summary="Like a review", request=None, responses={204: NOTHING})
    @action(detail=True, methods=["put"])
    def like(self, request: Request, review_id: int) -> Response:
        """Once, however often it is sent."""
        self.get_object().like(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Like a review no longer", request=None, responses={204: NOTHING})
    @like.mapping.delete
    def unlike(self, request: Request, review_id: int) -> Response:
        """Nothing happens where the caller does not like it."""
        self.get_object().unlike(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="Reviews of a book, newest first"),
    create=extend_schema(summary="Review the book", responses=CREATED),
)
class BookReviewViewSet(mixins.CreateModelMixin, ReviewLists):
    """The reviews of one book."""

    is_of_one_book = True
    leads_on = True
    kept_for_strangers: ClassVar = {"list": (ANY_BOOK, "book:{book_id}", PEOPLE)}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the permissions: 404 where there is no such book, whatever the body says."""
        super().initial(request, *args, **kwargs)
        if self.action in ("list", "create"):
            self.book  # noqa: B018  looked up for its 404

    @cached_property
    def book(self) -> Book:
        """The book of the path."""
        pk = self.kwargs["book_id"]
        book = Book.objects.visible_to(self.request.user).only("pk").filter(pk=pk).first()
        if book is None:
            lead_on(self.request, pk)
            raise Http404
        return book

    def get_queryset(self) -> ReviewQuerySet:
        """Those of the book."""
        return super().get_queryset().of_book(self.kwargs["book_id"])

    def perform_create(self, serializer: BaseSerializer[Review]) -> None:
        """As the model says."""
        self.write(serializer, book=self.book)


@extend_schema_view(list=extend_schema(summary="What a club's members say about the books on its list"))
class ClubReviewViewSet(ClubScoped, ReviewLists):
    """Reviews by a club's members."""

    levels = {"list": Level.ANYONE}

    def get_queryset(self) -> ReviewQuerySet:
        """Those of the club, as far as the caller may read them."""
        return super().get_queryset().of_club(self.club)
