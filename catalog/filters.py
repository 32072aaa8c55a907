"""What the list of books can be narrowed down by."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import LanguageFilter, SearchFilter
from catalog.editions import FIRST_YEAR, LAST_YEAR
from catalog.isbn import NO_ISBN, normal_isbn
from catalog.models import Book, BookQuerySet


class IsbnFormField(forms.CharField):
    """An ISBN in any spelling."""

    def clean(self, value: Any) -> str:
        """The normal form."""
        text = super().clean(value)
        try:
            return normal_isbn(text) if text else ""
        except ValueError:
            raise ValidationError(NO_ISBN, "invalid_isbn") from None


class IsbnFilter(django_filters.CharFilter):
    """By an ISBN in any spelling."""

    field_class = IsbnFormField


class YearFilter(django_filters.NumberFilter):
    """By a whole year that the catalogue can hold."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=FIRST_YEAR, max_value=LAST_YEAR, decimal_places=0, **kwargs)


class BookFilter(django_filters.FilterSet):
    """Each parameter narrows the list further."""

    search = SearchFilter(
        method="by_search", label=_("Every word is the start of a word in title or authors; no case, no accents.")
    )
    author = SearchFilter(method="by_author", label=_("An author's whole name; no case, no accents."))
    subject = SearchFilter(method="by_subject", label=_("A whole subject; no case, no accents."))
    isbn = IsbnFilter(method="by_isbn", label=_("An edition's ISBN in any spelling."))
    language = LanguageFilter(method="by_language", label=_("A language tag; pt finds pt-br too."))
    min_rating = django_filters.NumberFilter(
        field_name="average_rating", lookup_expr="gte", min_value=0.5, max_value=5, label=_("Least average rating.")
    )
    year_from = YearFilter(field_name="published_year", lookup_expr="gte", label=_("First year."))
    year_to = YearFilter(field_name="published_year", lookup_expr="lte", label=_("Last year."))

    class Meta:
        model = Book
        fields: list[str] = []

    def by_search(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        """As the queryset says."""
        return books.search(value)

    def by_author(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        """As the queryset says."""
        return books.by_author(value)

    def by_subject(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        """As the queryset says."""
        return books.by_subject(value)

    def by_isbn(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        """As the queryset says."""
        return books.with_isbn(value)

    def by_language(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        """As the queryset says."""
        return books.in_language(value.lower())
