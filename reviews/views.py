"""API views of reviews."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from accounts.models import USERS_VERSION, User
from catalog.models import Book
from catalog.querysets import BookQuerySet
from catalog.redirects import redirect_if_merged
from catalog.versions import ANY_BOOK_VERSION
from clubs.access import AccessLevel, ClubAccessMixin
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet
from core.db.prepared import prepared
from reviews.filters import ReviewFilter
from reviews.models import Review
from reviews.permissions import IsAuthor
from reviews.querysets import ReviewQuerySet
from reviews.serializers import ReviewCreateSerializer, ReviewSerializer

CREATE_RESPONSES = {201: ReviewSerializer, **problem_schema(409, "`already_reviewed`, with that review in `review`.")}


@prepared
def visible_reviews(user: User | AnonymousUser) -> ReviewQuerySet:
    return Review.objects.visible_to(user).for_serializer(user)


@prepared
def reviews_of_book(user: User | AnonymousUser, book_id: int) -> ReviewQuerySet:
    return Review.objects.visible_to(user).for_serializer(user).for_book(book_id)


@prepared
def visible_books(user: User | AnonymousUser) -> BookQuerySet:
    return Book.objects.visible_to(user).only("pk")


class BaseReviewViewSet(mixins.ListModelMixin, GenericViewSet):
    """Base of all review lists; they contain only reviews the current user may read."""

    serializer_class: type[BaseSerializer[Any]] = ReviewSerializer
    filterset_class = ReviewFilter
    queryset = Review.objects.none()
    ordering_choices = ("-created_at", "-rating", "-likes_count")
    public_actions: ClassVar[tuple[str, ...]] = ("list",)

    @property
    def ordering_fields(self) -> dict[str, tuple[str, ...]]:
        """Map `ordering` choices to fields; a list of one book starts with the book (`ReviewQuerySet.for_book`)."""
        prefix = ("-book_id",) if self.is_single_book else ()
        return {choice: (*prefix, choice, "-id") for choice in self.ordering_choices}

    @property
    def is_single_book(self) -> bool:
        return bool(self.request and "book" in self.request.query_params)

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.action in self.public_actions else IsAuthenticated()]

    def get_queryset(self) -> ReviewQuerySet:
        return visible_reviews(self.request.user)

    def create_review(self, serializer: BaseSerializer[Review], **fields: Any) -> None:
        review = Review.create_review(by=current_user(self.request), **serializer.validated_data, **fields)
        review.liked = False  # type: ignore[attr-defined]  # what `for_serializer` annotates
        serializer.instance = review


@extend_schema_view(
    list=extend_schema(summary="List reviews"),
    create=extend_schema(summary="Review a book", responses=CREATE_RESPONSES),
    retrieve=extend_schema(summary="Get a review"),
    update=extend_schema(summary="Update a review", responses=ReviewSerializer),
    partial_update=extend_schema(summary="Update some fields of a review", responses=ReviewSerializer),
    destroy=extend_schema(summary="Delete a review"),
)
class ReviewViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    BaseReviewViewSet,
):
    """Reviews of books. Public reviews can be read by anyone; only the author can change a review."""

    public_actions = ("list", "retrieve")
    lookup_url_kwarg = "review_id"

    def get_permissions(self) -> list[BasePermission]:
        author = [IsAuthor()] if self.action in ("update", "partial_update", "destroy") else []
        return [*super().get_permissions(), *author]

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return ReviewCreateSerializer if self.action in ("create", "update") else ReviewSerializer

    def lock_object(self, obj: Review) -> None:  # type: ignore[override]
        """Lock the same rows, in the same order, as the write that follows the precondition."""
        obj.lock(with_user=current_user(self.request))

    def perform_create(self, serializer: BaseSerializer[Review]) -> None:
        self.create_review(serializer)

    def perform_update(self, serializer: BaseSerializer[Review]) -> None:
        fields = {name: value for name, value in serializer.validated_data.items() if name != "book"}
        cast(Review, serializer.instance).update_review(**fields)

    def perform_destroy(self, instance: Review) -> None:
        instance.delete_review(by=current_user(self.request))

    @extend_schema(summary="Like a review", request=None, responses={204: NO_CONTENT})
    @action(detail=True, methods=["put"])
    def like(self, request: Request, review_id: int) -> Response:
        """Like a review. Idempotent."""
        self.get_object().like(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Unlike a review", request=None, responses={204: NO_CONTENT})
    @like.mapping.delete
    def unlike(self, request: Request, review_id: int) -> Response:
        """Remove your like. Idempotent."""
        self.get_object().unlike(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="List the reviews of a book"),
    create=extend_schema(summary="Review the book", responses=CREATE_RESPONSES),
)
class BookReviewViewSet(mixins.CreateModelMixin, BaseReviewViewSet):
    """The reviews of one book."""

    is_single_book = True
    redirects_merged_books = True
    has_location = True
    cached_actions_anonymous: ClassVar = {"list": (ANY_BOOK_VERSION, "book:{book_id}", USERS_VERSION)}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise Http404 if the book does not exist."""
        super().initial(request, *args, **kwargs)
        if self.action == "list":
            self.book  # noqa: B018  looked up for its 404

    @cached_property
    def book(self) -> Book:
        """The book of the path. Redirects if it was merged into another one."""
        pk = self.kwargs["book_id"]
        try:
            return visible_books(self.request.user).get(pk=pk)
        except Book.DoesNotExist:
            redirect_if_merged(self.request, pk)
            raise Http404 from None

    def get_queryset(self) -> ReviewQuerySet:
        return reviews_of_book(self.request.user, self.kwargs["book_id"])

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            return super().create(request, *args, **kwargs)
        except (ParseError, UnsupportedMediaType, ValidationError):
            # Only the write reads the book. Its 404 or redirect takes precedence over errors in the body.
            self.book  # noqa: B018
            raise

    def perform_create(self, serializer: BaseSerializer[Review]) -> None:
        self.create_review(serializer, book=self.kwargs["book_id"])

    def get_location(self, data: Mapping[str, Any]) -> str:
        return reverse("review-detail", [data["id"]], request=self.request)


@extend_schema_view(list=extend_schema(summary="List the reviews by a club's members of books on its reading list"))
class ClubReviewViewSet(ClubAccessMixin, BaseReviewViewSet):
    """Reviews by the members of a club of books on its reading list."""

    access_levels = {"list": AccessLevel.ANYONE}

    def get_queryset(self) -> ReviewQuerySet:
        return super().get_queryset().for_club(self.club, self.request.user)
