"""Filters for the list of books."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from catalog.isbn import INVALID_ISBN_MESSAGE, normalize_isbn
from catalog.models import FIRST_YEAR, LAST_YEAR, Book
from catalog.querysets import BookQuerySet
from core.api.filters import LanguageFilter, NumberFilter, SearchTextFilter


class IsbnFormField(forms.CharField):
    """An ISBN in any notation, normalized by `clean()`."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normalize_isbn(text) if text else ""
        except ValueError:
            raise ValidationError(INVALID_ISBN_MESSAGE, "invalid_isbn") from None


class IsbnFilter(django_filters.CharFilter):
    """Filter by an ISBN in any notation."""

    field_class = IsbnFormField


class YearFilter(NumberFilter):
    """Filter by a year within the limits of the catalog."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=FIRST_YEAR, max_value=LAST_YEAR, decimal_places=0, **kwargs)


class BookFilter(django_filters.FilterSet):
    """Filters for books; all given parameters must match."""

    search = SearchTextFilter(
        method="filter_search",
        label=_("Words or beginnings of words in the title or authors, ignoring case and accents; or an ISBN."),
    )
    author = SearchTextFilter(method="filter_author", label=_("The full name of an author; ignores case and accents."))
    subject = SearchTextFilter(
        method="filter_subject", label=_("The full name of a subject; ignores case and accents.")
    )
    isbn = IsbnFilter(method="filter_isbn", label=_("The ISBN of an edition, with or without hyphens."))
    language = LanguageFilter(method="filter_language", label=_("A language tag; pt also matches pt-br."))
    min_rating = NumberFilter(
        field_name="average_rating", lookup_expr="gte", min_value=0.5, max_value=5, label=_("Minimum average rating.")
    )
    year_from = YearFilter(field_name="published_year", lookup_expr="gte", label=_("Earliest publication year."))
    year_to = YearFilter(field_name="published_year", lookup_expr="lte", label=_("Latest publication year."))

    class Meta:
        model = Book
        fields: list[str] = []

    def filter_search(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.search(value)

    def filter_author(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.by_author(value)

    def filter_subject(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.by_subject(value)

    def filter_isbn(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.with_isbn(value)

    def filter_language(self, books: BookQuerySet, name: str, value: str) -> BookQuerySet:
        return books.in_language(value)
