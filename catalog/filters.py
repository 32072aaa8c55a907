"""Filters for the list of books."""

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
    """An ISBN in any spelling, cleaned to its normal form."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normal_isbn(text) if text else ""
        except ValueError:
            raise ValidationError(NO_ISBN, "invalid_isbn") from None


class IsbnFilter(django_filters.CharFilter):
    """Filter by an ISBN in any spelling."""

    field_class = IsbnFormField


class YearFilter(django_filters.NumberFilter):
    """Filter by a year within the limits of the catalog."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=FIRST_YEAR, max_value=LAST_YEAR, decimal_places=0, **kwargs)


class BookFilter(django_filters.FilterSet):
    """Filters for books; all given parameters must match."""

    search = SearchFilter(
        method="by_search", label=_("Words or beginnings of words in the title or authors; ignores case and accents.")
    )
    author = SearchFilter(method="by_author", label=_("The full name of an author; ignores case and accents."))
    subject = SearchFilter(method="by_subject", label=_("The full name of a subject; ignores case and accents."))
    isbn = IsbnFilter(method="by_isbn", label=_("The ISBN of an edition, with or without hyphens."))
    language = LanguageFilter(method="by_language", label=_("A language tag; pt also matches pt-br."))
    min_rating = django_filters.NumberFilter(
        field_name="average_rating", lookup_expr="gte", min_value=0.5, max_value=5, label=_("Minimum average rating.")
    )
    year_from = YearFilter(field_name="published_year", lookup_expr="gte", label=_("Earliest publication year."))
    year_to = YearFilter(field_name="published_year", lookup_expr="lte", label=_("Latest publication year."))

    class Meta:
        model = Book
        fields: list[str] = []

    def by_search(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.search(value)

    def by_author(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.by_author(value)

    def by_subject(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.by_subject(value)

    def by_isbn(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.with_isbn(value)

    def by_language(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.in_language(value.lower())
