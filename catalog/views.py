"""Views of the catalog."""

from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from accounts.models import User
from catalog import services
from catalog.covers import COVER_FOLDER
from catalog.filters import BookFilter
from catalog.local_titles import language_arguments
from catalog.models import Book, ProposedEdition
from catalog.permissions import CanEditBook, IsBookCreator
from catalog.querysets import BookQuerySet
from catalog.redirects import MergedBookRedirectMixin
from catalog.serializers import (
    BookListSerializer,
    BookSerializer,
    BookStatsSerializer,
    EditionSerializer,
    ISBNLookupSerializer,
    NewEditionSerializer,
)
from catalog.versions import ANY_BOOK_VERSION, CATALOG_VERSION
from core.api.pagination import SearchPagination
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet, validate
from core.db.prepared import prepared
from core.images.processing import ImageSpec
from core.images.views import TOO_LARGE, ImageUploadSerializer, ImageUploadView

DUPLICATE_ISBN_RESPONSE = problem_schema(409, "`duplicate_isbn`, with the other book in `book`.")


@prepared
def all_books() -> BookQuerySet:
    return Book.objects.defer("description", "search_text")


@prepared
def listed_books(user: User | AnonymousUser, *language: str) -> BookQuerySet:
    return Book.objects.visible_to(user).for_list(*language)


@prepared
def detailed_books(user: User | AnonymousUser) -> BookQuerySet:
    return Book.objects.visible_to(user).for_detail()


@extend_schema_view(
    list=extend_schema(summary="List books, most rated first"),
    create=extend_schema(summary="Add a book", responses={201: BookSerializer, **DUPLICATE_ISBN_RESPONSE}),
    retrieve=extend_schema(summary="Get a book"),
    update=extend_schema(summary="Update a book", responses={200: BookSerializer, **DUPLICATE_ISBN_RESPONSE}),
    partial_update=extend_schema(
        summary="Partially update a book", responses={200: BookSerializer, **DUPLICATE_ISBN_RESPONSE}
    ),
    destroy=extend_schema(
        summary="Delete a book",
        responses={
            204: NO_CONTENT,
            **problem_schema(409, "`book_in_use`: the book is on a reading list or has reviews."),
        },
    ),
)
class BookViewSet(
    MergedBookRedirectMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    GenericViewSet,
):
    """Books of the public catalog.

    For a book that was merged into another one, every call responds with 307 and the URL of that book (`book_merged`).
    """

    lookup_url_kwarg = "book_id"
    serializer_class = BookSerializer
    filterset_class = BookFilter
    pagination_class = SearchPagination
    ordering_fields: ClassVar = {
        "-ratings_count": ("-ratings_count", "-id"),
        "-average_rating": ("-average_rating", "-id"),
        "title": ("title_key", "id"),
        "-published_year": ("-published_year", "-id"),
        "-created_at": ("-created_at", "-id"),
    }
    cached_actions: ClassVar = {
        "list": (CATALOG_VERSION,),
        "stats": (ANY_BOOK_VERSION, "book:{book_id}"),
    }
    # For a user it contains the user's review.
    cached_actions_anonymous: ClassVar = {"retrieve": (ANY_BOOK_VERSION, "book:{book_id}")}
    permissions: ClassVar[dict[str, list[type[BasePermission]]]] = {
        "list": [AllowAny],
        "retrieve": [AllowAny],
        "stats": [AllowAny],
        "update": [IsAuthenticated, CanEditBook],
        "partial_update": [IsAuthenticated, CanEditBook],
        "destroy": [IsAuthenticated, IsBookCreator],
    }

    def get_permissions(self) -> list[BasePermission]:
        return [permission() for permission in self.permissions.get(self.action, [IsAuthenticated])]

    def get_queryset(self) -> BookQuerySet:
        user = self.request.user
        if self.action == "stats":
            return Book.objects.visible_to(user)
        if self.action == "list":
            return listed_books(user, *language_arguments(get_language() or settings.LANGUAGE_CODE))
        return detailed_books(user)

    def get_unsearched_queryset(self) -> BookQuerySet:
        return all_books()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action == "list" and self.request.query_params.get("search"):
            # SearchPagination loads the page from `listed_books`; building that for each search takes a third of it.
            queryset = Book.objects.visible_to(self.request.user)
        return super().filter_queryset(queryset)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return BookListSerializer if self.action == "list" else BookSerializer

    def perform_create(self, serializer: BaseSerializer[Book]) -> None:
        serializer.instance = Book.create_book(by=current_user(self.request), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Book]) -> None:
        cast(Book, serializer.instance).update_book(by=current_user(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Book) -> None:
        instance.delete_book(by=current_user(self.request))

    @extend_schema(
        summary="Look up a book by ISBN",
        request=ISBNLookupSerializer,
        responses={
            200: OpenApiResponse(BookSerializer, description="The book is in the catalog."),
            201: OpenApiResponse(
                BookSerializer, description="The book, or an edition of it, was added from a provider."
            ),
            **problem_schema(404, "`unknown_isbn`: neither the catalog nor a provider has the book."),
            **problem_schema(503, "`provider_unavailable`: no provider has the book, but not all responded."),
        },
    )
    @action(detail=False, methods=["post"], serializer_class=ISBNLookupSerializer)
    def lookup(self, request: Request) -> Response:
        """Return the book with this ISBN. If the catalog does not have it, add it from an external book provider."""
        isbn = validate(ISBNLookupSerializer(data=request.data))["isbn"]
        book, added = services.lookup_isbn(isbn, by=current_user(request))
        data = BookSerializer(book, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED if added else status.HTTP_200_OK)

    @extend_schema(
        summary="Add or propose an edition",
        request=NewEditionSerializer,
        responses={
            201: OpenApiResponse(EditionSerializer, description="The edition was added."),
            202: OpenApiResponse(EditionSerializer, description="The edition waits for the editors of the catalog."),
            **problem_schema(
                409,
                "`duplicate_isbn`, with the book that has the ISBN in `book`; `already_proposed`, `too_many_proposals` "
                "(100 by one user), `too_many_editions` (2,000 of one book).",
            ),
        },
    )
    # An edition is a part of its book, and has no URL of its own.
    @action(detail=True, methods=["post"], serializer_class=NewEditionSerializer, responds_with_object=False)
    def editions(self, request: Request, book_id: int) -> Response:
        """Add an edition to a book that the caller has added, or as a trusted editor. Others propose it."""
        book, user = self.get_object(), current_user(request)
        fields = validate(NewEditionSerializer(data=request.data))
        if not book.can_be_edited_by(user):
            proposal = ProposedEdition.create_proposal(book=book, by=user, **fields)
            return Response(EditionSerializer(proposal).data, status=status.HTTP_202_ACCEPTED)
        edition = book.add_edition(by=user, **fields)
        location = self.reverse_action("detail", kwargs={"book_id": book.pk})
        return Response(EditionSerializer(edition).data, status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(summary="Get the statistics of a book", responses=BookStatsSerializer)
    @action(detail=True)
    def stats(self, request: Request, book_id: int) -> Response:
        """Return the ratings of a book and the number of clubs that read it."""
        return Response(BookStatsSerializer(self.get_object()).data)


@extend_schema_view(
    put=extend_schema(
        summary="Upload the cover of a book",
        request=ImageUploadSerializer,
        responses={200: BookSerializer, **TOO_LARGE},
    ),
    delete=extend_schema(summary="Delete the cover of a book"),
)
class BookCoverView(MergedBookRedirectMixin, ImageUploadView):
    """The cover image of a book, at most 1,600 pixels high and wide.

    The previous cover is stored in the book's revisions.
    """

    lookup_url_kwarg = "book_id"
    serializer_class = BookSerializer
    permission_classes = [IsAuthenticated, CanEditBook]
    upload_folder, image_spec = COVER_FOLDER, ImageSpec()

    def get_queryset(self) -> BookQuerySet:
        return Book.objects.visible_to(self.request.user).for_detail()

    def set_image(self, obj: Book, name: str) -> None:
        obj.update_book(by=current_user(self.request), cover_url=name)
