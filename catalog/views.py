"""The catalogue over HTTP (api.md, section 2)."""

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

KNOWN_ISBN = problem(409, "`duplicate_isbn`, with `book`, the id of the one that has the ISBN.")


@extend_schema_view(
    list=extend_schema(summary="Books, most rated first"),
    create=extend_schema(summary="Add a book", responses={201: BookSerializer, **KNOWN_ISBN}),
    retrieve=extend_schema(summary="One book"),
    update=extend_schema(summary="Change a book", responses={200: BookSerializer, **KNOWN_ISBN}),
    partial_update=extend_schema(summary="Change some of a book", responses={200: BookSerializer, **KNOWN_ISBN}),
    destroy=extend_schema(
        summary="Take a book out",
        responses={204: None, **problem(409, "`book_in_use` by a list or a review.")},
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
    """The catalogue: everybody reads it, readers add to it.

    The address of a book that staff have made one with another answers 307 with that one's (`book_merged`).
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
        """Reading is for anyone."""
        return [permission() for permission in self.permissions.get(self.action, [IsAuthenticated])]

    def get_queryset(self) -> BookQuerySet:
        """The books the caller may see, with what the answer shows."""
        books = Book.objects.visible_to(self.request.user)
        if self.action == "stats":
            return books
        return books.for_list() if self.action == "list" else books.for_detail()

    def unsearched(self) -> BookQuerySet:
        """All books."""
        return Book.objects.all()

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """A list's rows are shorter."""
        return BookListSerializer if self.action == "list" else BookSerializer

    def perform_create(self, serializer: BaseSerializer[Book]) -> None:
        """As the model says."""
        serializer.instance = Book.add(by=caller(self.request), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Book]) -> None:
        """As the model says; what was not sent stays as it is."""
        cast(Book, serializer.instance).change(by=caller(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Book) -> None:
        """As the model says."""
        instance.remove(by=caller(self.request))

    @extend_schema(
        summary="Find a book by its ISBN, here or outside",
        request=LookupSerializer,
        responses={
            200: OpenApiResponse(BookSerializer, description="The catalogue has it."),
            201: OpenApiResponse(BookSerializer, description="The outside provider knew it; it has been added."),
            **problem(404, "`unknown_isbn`: unknown there too."),
            **problem(503, "`provider_unavailable`: nothing is stored, try again later."),
        },
    )
    @action(detail=False, methods=["post"], serializer_class=LookupSerializer)
    def lookup(self, request: Request) -> Response:
        """The book the catalogue has, else what the outside provider knows, which is added."""
        isbn = checked(LookupSerializer(data=request.data))["isbn"]
        book, new = services.look_up(isbn, by=caller(request))
        data = BookSerializer(book, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED if new else status.HTTP_200_OK)

    @extend_schema(summary="A book's figures", responses=BookStatsSerializer)
    @action(detail=True)
    def stats(self, request: Request, book_id: int) -> Response:
        """Ratings and clubs of one book."""
        return Response(BookStatsSerializer(self.get_object()).data)


@extend_schema_view(
    put=extend_schema(
        summary="Show a picture of a book", request=PictureSerializer, responses={200: BookSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Show no picture of a book"),
)
class CoverView(LeadsOn, PictureView):
    """A book's cover, at most 1,600 pixels high and wide. The one before is kept, as is whatever else is changed."""

    lookup_url_kwarg = "book_id"
    serializer_class = BookSerializer
    permission_classes = [IsAuthenticated, MayChangeBook]
    folder, shape = COVERS, Shape(1600)

    def get_queryset(self) -> BookQuerySet:
        """The books the caller may see, with what the answer shows."""
        return Book.objects.visible_to(self.request.user).for_detail()

    def change(self, thing: Book, name: str) -> None:
        """As the model says."""
        thing.change(by=caller(self.request), cover_url=name)
