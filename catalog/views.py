"""Views of the catalog (api.md, section 2)."""

from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import caller
from bookbridge.api.images import Shape
from bookbridge.api.pagination import SearchPagination
from bookbridge.api.responses import problem
from bookbridge.api.uploads import TOO_LARGE, PictureSerializer, PictureView
from bookbridge.api.views import GenericViewSet, checked
from catalog import services
from catalog.covers import COVERS
from catalog.filters import BookFilter
from catalog.leading import LeadsOn
from catalog.models import ANY_BOOK, CATALOGUE, Book, BookQuerySet
from catalog.permissions import AddedBook, MayChangeBook
from catalog.serializers import BookListSerializer, BookSerializer, BookStatsSerializer, LookupSerializer

KNOWN_ISBN = problem(409, "`duplicate_isbn`, with the id of the other book in `book`.")


@extend_schema_view(
    list=extend_schema(summary="List books, most rated first"),
    create=extend_schema(summary="Add a book", responses={201: BookSerializer, **KNOWN_ISBN}),
    retrieve=extend_schema(summary="Get a book"),
    update=extend_schema(summary="Update a book", responses={200: BookSerializer, **KNOWN_ISBN}),
    partial_update=extend_schema(summary="Partially update a book", responses={200: BookSerializer, **KNOWN_ISBN}),
    destroy=extend_schema(
        summary="Delete a book",
        responses={204: None, **problem(409, "`book_in_use`: the book is on a reading list or has reviews.")},
    ),
)
class BookViewSet(
    LeadsOn,
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
    orderings: ClassVar = {
        "-ratings_count": ("-ratings_count", "-id"),
        "-average_rating": ("-average_rating", "-id"),
        "title": ("title_key", "id"),
        "-published_year": ("-published_year", "-id"),
        "-created_at": ("-created_at", "-id"),
    }
    kept: ClassVar = {
        "list": (CATALOGUE,),
        "retrieve": (ANY_BOOK, "book:{book_id}"),
        "stats": (ANY_BOOK, "book:{book_id}"),
    }
    permissions: ClassVar[dict[str, list[type[BasePermission]]]] = {
        "list": [AllowAny],
        "retrieve": [AllowAny],
        "stats": [AllowAny],
        "update": [IsAuthenticated, MayChangeBook],
        "partial_update": [IsAuthenticated, MayChangeBook],
        "destroy": [IsAuthenticated, AddedBook],
    }

    def get_permissions(self) -> list[BasePermission]:
        return [permission() for permission in self.permissions.get(self.action, [IsAuthenticated])]

    def get_queryset(self) -> BookQuerySet:
        books = Book.objects.visible_to(self.request.user)
        if self.action == "stats":
            return books
        return books.for_list() if self.action == "list" else books.for_detail()

    def unsearched(self) -> BookQuerySet:
        return Book.objects.all()

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return BookListSerializer if self.action == "list" else BookSerializer

    def perform_create(self, serializer: BaseSerializer[Book]) -> None:
        serializer.instance = Book.add(by=caller(self.request), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Book]) -> None:
        cast(Book, serializer.instance).change(by=caller(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Book) -> None:
        instance.remove(by=caller(self.request))

    @extend_schema(
        summary="Look up a book by ISBN",
        request=LookupSerializer,
        responses={
            200: OpenApiResponse(BookSerializer, description="The book is in the catalog."),
            201: OpenApiResponse(BookSerializer, description="The book was added from the provider."),
            **problem(404, "`unknown_isbn`: neither the catalog nor the provider has the book."),
            **problem(503, "`provider_unavailable`: the provider is not responding."),
        },
    )
    @action(detail=False, methods=["post"], serializer_class=LookupSerializer)
    def lookup(self, request: Request) -> Response:
        """Return the book with this ISBN. If the catalog does not have it, add it from the external book provider."""
        isbn = checked(LookupSerializer(data=request.data))["isbn"]
        book, created = services.look_up(isbn, by=caller(request))
        data = BookSerializer(book, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)

    @extend_schema(summary="Get the statistics of a book", responses=BookStatsSerializer)
    @action(detail=True)
    def stats(self, request: Request, book_id: int) -> Response:
        """Return the ratings of a book and the number of clubs that read it."""
        return Response(BookStatsSerializer(self.get_object()).data)


@extend_schema_view(
    put=extend_schema(
        summary="Upload the cover of a book", request=PictureSerializer, responses={200: BookSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Delete the cover of a book"),
)
class CoverView(LeadsOn, PictureView):
    """The cover image of a book, at most 1,600 pixels high and wide.

    The previous cover is stored in the book's revisions.
    """

    lookup_url_kwarg = "book_id"
    serializer_class = BookSerializer
    permission_classes = [IsAuthenticated, MayChangeBook]
    folder, shape = COVERS, Shape(1600)

    def get_queryset(self) -> BookQuerySet:
        return Book.objects.visible_to(self.request.user).for_detail()

    def change(self, thing: Book, name: str) -> None:
        thing.change(by=caller(self.request), cover_url=name)
