"""Filters of review lists."""

import math
from decimal import Decimal

import django_filters
from django.utils.translation import gettext_lazy as _

from catalog.models import Book
from core.api.filters import IdFilter, LanguageFilter, NumberFilter
from reviews.models import Review
from reviews.querysets import ReviewQuerySet


class ReviewFilter(django_filters.FilterSet):
    """Filters by book, author, rating and language."""

    book = IdFilter(method="filter_book", label=_("Id of the book."))
    user = IdFilter(field_name="author", label=_("Id of the author."))
    min_rating = NumberFilter(method="filter_rating", min_value=0.5, max_value=5, label=_("Minimum rating, 0.5 to 5."))
    language = LanguageFilter(method="filter_language", label=_("A language tag; pt finds pt-br too."))

    class Meta:
        model = Review
        fields: list[str] = []

    def filter_book(self, reviews: ReviewQuerySet, name: str, value: Decimal) -> ReviewQuerySet:
        """Filter by book; the id of a merged book is resolved to its merge target."""
        return reviews.for_book(Book.objects.resolve_id(int(value)))

    def filter_rating(self, reviews: ReviewQuerySet, name: str, value: Decimal) -> ReviewQuerySet:
        """Filter by minimum rating, given in stars."""
        return reviews.filter(rating__gte=math.ceil(value * 2))

    def filter_language(self, reviews: ReviewQuerySet, name: str, value: str) -> ReviewQuerySet:
        """Filter by language, including its regional variants."""
        return reviews.in_language(value)
