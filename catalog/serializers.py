"""Serializers for the catalog."""

from typing import Any, cast

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.isbn import INVALID_ISBN_MESSAGE, normalize_isbn
from catalog.models import FIRST_YEAR, LAST_YEAR, MAX_NAMES, MAX_PAGES, NAME_LENGTH, NAMES_ERROR, Book, Edition
from catalog.ratings import HALF_STARS
from core.api.serializers import FloatField, IntegerField, ModelSerializer, SingleLineField, VisibleTextField
from core.images.storage import image_url
from core.languages import INVALID_LANGUAGE_MESSAGE, shortest_tag
from core.registry import book_fields
from core.search.normalize import language_tag


class IsbnField(VisibleTextField):
    """An ISBN in any notation. The internal value is the ISBN-13, or None if empty."""

    default_error_messages = {"invalid_isbn": INVALID_ISBN_MESSAGE}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        try:
            return normalize_isbn(super().to_internal_value(data))
        except ValueError:
            self.fail("invalid_isbn")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Accept numbers, and convert an empty string to None."""
        return super().run_validation(str(data) if type(data) is int else data) or None


class LanguageTagField(VisibleTextField, serializers.RegexField):
    """A BCP 47 tag, stored in lower case and shown as `pt-BR`. `por` becomes `pt`, which BCP 47 requires."""

    default_error_messages = {"invalid": INVALID_LANGUAGE_MESSAGE}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=12, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return shortest_tag(str(super().to_internal_value(data)))

    def to_representation(self, value: Any) -> str:
        return language_tag(str(value))


@extend_schema_field({"type": "number", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5})
class RatingField(FloatField):
    """A rating from 0.5 to 5 stars in steps of 0.5; stored in half-stars."""

    default_error_messages = {"no_half_step": _("A rating must be from 0.5 to 5, in steps of 0.5.")}

    def to_internal_value(self, data: Any) -> Any:
        half_stars = super().to_internal_value(data) * 2
        if half_stars not in HALF_STARS:
            self.fail("no_half_step")
        return int(half_stars)

    def to_representation(self, value: Any) -> Any:
        return value / 2


class NamesField(serializers.ListField):
    """A list of at most MAX_NAMES names."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=SingleLineField(max_length=NAME_LENGTH), max_length=MAX_NAMES, **kwargs)


class BookIdField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """Id of a book in the catalog. The id of a merged book is resolved to the book it was merged into."""

    default_error_messages = {"does_not_exist": _("There is no such book.")}

    def __init__(self, **kwargs: Any) -> None:
        books = Book.objects.only("pk", "merged_into")
        super().__init__(queryset=books, pk_field=IntegerField(), **kwargs)

    def to_internal_value(self, data: Any) -> Book:
        book = cast(Book, super().to_internal_value(data))
        return book if book.merged_into is None else Book.objects.get(pk=Book.objects.resolve_id(book.merged_into))


class BookSummarySerializer(ModelSerializer):
    """The summary of a book."""

    cover_url = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ["id", "title", "author", "cover_url"]
        read_only_fields = fields

    def get_cover_url(self, book: Book) -> str | None:
        return image_url(book.cover_url)


class EditionSerializer(ModelSerializer):
    """An edition of a book."""

    language = LanguageTagField(read_only=True, allow_blank=True)

    class Meta:
        model = Edition
        fields = ["isbn13", "title", "format", "page_count", "publisher", "language", "published_year"]
        read_only_fields = fields


class NewEditionSerializer(ModelSerializer):
    """An edition to add to a book."""

    isbn = IsbnField(required=False, help_text=_("ISBN-10 or ISBN-13; hyphens and spaces are ignored. Required."))
    isbn13 = IsbnField(required=False, help_text=_("Another name of `isbn`."))
    language = LanguageTagField(required=False, allow_blank=True)
    page_count = IntegerField(min_value=1, max_value=MAX_PAGES, required=False, allow_null=True)
    published_year = IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False, allow_null=True)

    class Meta:
        model = Edition
        fields = ["isbn", "isbn13", "title", "format", "page_count", "publisher", "language", "published_year"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        isbn13 = attrs.pop("isbn", None) or attrs.get("isbn13")
        if not isbn13:
            raise serializers.ValidationError({"isbn": self.fields["isbn"].error_messages["required"]}, "required")
        return attrs | {"isbn13": isbn13}


class BookListSerializer(BookSummarySerializer):
    """A book as lists show it."""

    authors = serializers.ListField(child=serializers.CharField(), read_only=True)
    subjects = serializers.ListField(child=serializers.CharField(), read_only=True)
    language = LanguageTagField(read_only=True, allow_blank=True)
    average_rating = serializers.FloatField(read_only=True, allow_null=True)
    local_title = serializers.SerializerMethodField(
        help_text=_("The title of an edition in the language of the caller; null without one.")
    )

    class Meta:
        model = Book
        fields = [
            *("id", "title", "local_title", "author", "authors", "isbn13", "published_year", "language", "page_count"),
            *("subjects", "cover_url", "average_rating", "ratings_count", "created_at", "updated_at"),
        ]
        read_only_fields = fields

    def get_local_title(self, book: Book) -> str | None:
        return book.get_local_title(get_language() or settings.LANGUAGE_CODE)


class BookSerializer(BookListSerializer):
    """A book. Send the authors in `authors`, or in `author` as one text."""

    author = SingleLineField(
        max_length=500,
        required=False,
        help_text=_(
            "In responses, all authors separated by commas. In requests, one or more names separated by semicolons; "
            "ignored if `authors` is sent. One of the two is required for a new book."
        ),
    )
    authors = NamesField(min_length=1, required=False, help_text=_("Names of the authors, in order."))
    subjects = NamesField(required=False)
    isbn = IsbnField(
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text=_("ISBN-10 or ISBN-13 of the main edition; hyphens and spaces are ignored."),
    )
    published_year = IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False, allow_null=True)
    language = LanguageTagField(required=False, allow_blank=True)
    page_count = IntegerField(min_value=1, max_value=MAX_PAGES, required=False, allow_null=True)
    description = VisibleTextField(max_length=10_000, required=False, allow_blank=True)
    editions = EditionSerializer(source="all_editions", many=True, read_only=True)

    class Meta:
        model = Book
        fields = [*BookListSerializer.Meta.fields, "isbn", "editions", "description", "my_review"]
        read_only_fields = ["isbn13", "ratings_count", "created_at", "updated_at"]

    def build_unknown_field(self, field_name: str, model_class: type[Any]) -> Any:
        """Build a field that another app has registered in `book_fields`."""
        if field_name in book_fields:
            return book_fields[field_name], {}
        return super().build_unknown_field(field_name, model_class)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "isbn" in attrs:
            attrs["isbn13"] = attrs.pop("isbn")
        line = attrs.pop("author", None)
        if "authors" not in attrs and line is not None:
            attrs["authors"] = self._parse_author(line)
        if "authors" not in attrs and not self.partial:
            raise serializers.ValidationError(
                {"authors": self.fields["authors"].error_messages["required"]}, "required"
            )
        return attrs

    def _parse_author(self, author: str) -> list[str]:
        """Return the names in `author`. If it equals the book's current `author`, return the current authors."""
        book: Book | None = self.instance
        if book is not None and author == book.author:
            return book.authors
        names = [name.strip() for name in author.split(";") if name.strip()]
        if not names or len(names) > MAX_NAMES or max(map(len, names)) > NAME_LENGTH:
            raise serializers.ValidationError({"author": NAMES_ERROR}, "invalid")
        return names


class ISBNLookupSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The ISBN to look up."""

    isbn = IsbnField(help_text=_("ISBN-10 or ISBN-13; hyphens and spaces are ignored."))


class HistogramField(serializers.DictField):
    """The number of ratings per rating, from 0.5 to 5.0 stars."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Number of ratings per rating, from 0.5 to 5.0 stars."))
        super().__init__(child=serializers.IntegerField(min_value=0), **kwargs)


class BookStatsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Statistics of a book."""

    average_rating = serializers.FloatField(
        allow_null=True, help_text=_("Average of public ratings; null if there are none.")
    )
    ratings_count = serializers.IntegerField()
    histogram = HistogramField()
    clubs_reading = serializers.IntegerField(help_text=_("Number of clubs that are reading the book."))
    clubs_finished = serializers.IntegerField(help_text=_("Number of clubs that have finished the book."))
