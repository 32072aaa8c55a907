"""The shapes of the catalogue in the API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookbridge.api.pictures import url_of
from bookbridge.api.serializers import LineField, ModelSerializer, TextField
from bookbridge.api.text import language_tag
from catalog.editions import FIRST_YEAR, LAST_YEAR, MOST_PAGES
from catalog.isbn import NO_ISBN, normal_isbn
from catalog.models import Book, Edition

MOST_NAMES = 50


class IsbnField(TextField):
    """An ISBN in any spelling; the inner value is the ISBN-13, or None for an empty one."""

    default_error_messages = {"invalid_isbn": NO_ISBN}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """The normal form."""
        try:
            return normal_isbn(super().to_internal_value(data))
        except ValueError:
            self.fail("invalid_isbn")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """As its parent, but digits may come as a number; `""`, where it is allowed, is no ISBN."""
        return super().run_validation(str(data) if type(data) is int else data) or None


class LanguageTagField(TextField, serializers.RegexField):
    """A BCP 47 tag, kept in lower case and told as people write it: `pt-BR`."""

    default_error_messages = {"invalid": _("This is no language tag such as en or pt-BR.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=12, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The tag in lower case."""
        return str(super().to_internal_value(data)).replace("_", "-").lower()

    def to_representation(self, value: Any) -> str:
        """The tag as people write it."""
        return language_tag(str(value))


class NamesField(serializers.ListField):
    """A list of up to 50 names of up to 200 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=LineField(max_length=200), max_length=MOST_NAMES, **kwargs)


class BriefBookSerializer(ModelSerializer):
    """A book as it stands beside something else."""

    cover_url = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ["id", "title", "author", "cover_url"]
        read_only_fields = fields

    def get_cover_url(self, book: Book) -> str | None:
        """The picture's address, if there is a picture."""
        return url_of(book.cover_url)


class EditionSerializer(ModelSerializer):
    """One printing of a book."""

    language = LanguageTagField(read_only=True, allow_blank=True)

    class Meta:
        model = Edition
        fields = ["isbn13", "format", "page_count", "publisher", "language", "published_year"]
        read_only_fields = fields


class BookListSerializer(BriefBookSerializer):
    """A book as a row of a list."""

    authors = serializers.ListField(child=serializers.CharField(), read_only=True)
    subjects = serializers.ListField(child=serializers.CharField(), read_only=True)
    language = LanguageTagField(read_only=True, allow_blank=True)
    average_rating = serializers.FloatField(read_only=True, allow_null=True)

    class Meta:
        model = Book
        fields = [
            *("id", "title", "author", "authors", "isbn13", "published_year", "language", "page_count", "subjects"),
            *("cover_url", "average_rating", "ratings_count", "created_at", "updated_at"),
        ]
        read_only_fields = fields


class BookSerializer(BookListSerializer):
    """A book, read and written. A body names the authors in `authors`, or in `author` as one text."""

    author = LineField(
        max_length=500,
        required=False,
        help_text=_(
            "In answers the authors on one line. In a body the one author's name, or several with semicolons between "
            "them; not looked at where there are `authors`, one of which a new book needs."
        ),
    )
    authors = NamesField(min_length=1, required=False, help_text=_("The authors' names, in order."))
    subjects = NamesField(required=False)
    isbn = IsbnField(
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text=_("Of the main edition: 10 or 13 characters, with any hyphens or spaces."),
    )
    published_year = serializers.IntegerField(
        min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False, allow_null=True
    )
    language = LanguageTagField(required=False, allow_blank=True)
    page_count = serializers.IntegerField(min_value=1, max_value=MOST_PAGES, required=False, allow_null=True)
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    editions = EditionSerializer(many=True, read_only=True)

    class Meta:
        model = Book
        fields = [*BookListSerializer.Meta.fields, "isbn", "editions", "description"]
        read_only_fields = ["isbn13", "ratings_count", "created_at", "updated_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The authors as a list, from whichever of the two fields was sent; the ISBN under its column's name."""
        if "isbn" in attrs:
            attrs["isbn13"] = attrs.pop("isbn")
        line = attrs.pop("author", None)
        if "authors" not in attrs and line is not None:
            attrs["authors"] = self._names(line)
        if "authors" not in attrs and not self.partial:
            raise serializers.ValidationError(
                {"authors": self.fields["authors"].error_messages["required"]}, "required"
            )
        return attrs

    def _names(self, line: str) -> list[str]:
        """The names in `author`. A client that sends back the line it got means the authors that are there."""
        book: Book | None = self.instance
        if book is not None and line == book.author:
            return book.authors
        names = [name.strip() for name in line.split(";") if name.strip()]
        if not names or len(names) > MOST_NAMES or max(map(len, names)) > 200:
            raise serializers.ValidationError({"author": _("These are no names of up to 200 characters.")}, "invalid")
        return names


class LookupSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The ISBN to look up."""

    isbn = IsbnField(help_text=_("10 or 13 characters, with any hyphens or spaces."))


class HistogramField(serializers.DictField):
    """How many ratings of each kind there are, from 0.5 to 5.0 stars."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("How many ratings of each kind, from 0.5 to 5.0 stars."))
        super().__init__(child=serializers.IntegerField(min_value=0), **kwargs)


class BookStatsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A book's figures."""

    average_rating = serializers.FloatField(allow_null=True, help_text=_("Of public ratings; null without any."))
    ratings_count = serializers.IntegerField()
    histogram = HistogramField()
    clubs_reading = serializers.IntegerField(help_text=_("Clubs that are reading it now."))
    clubs_finished = serializers.IntegerField(help_text=_("Clubs that have finished it."))
