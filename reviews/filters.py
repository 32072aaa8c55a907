"""Filters of review lists."""

import math
from decimal import Decimal

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import IdFilter, LanguageFilter
from catalog.models import Book
from reviews.models import Review
from reviews.querysets import ReviewQuerySet


class ReviewFilter(django_filters.FilterSet):
    """Filters by book, author, rating and language."""

    book = IdFilter(method="by_book", label=_("Id of the book."))
    user = IdFilter(field_name="author", label=_("Id of the author."))
    min_rating = django_filters.NumberFilter(
        method="by_rating", min_value=0.5, max_value=5, label=_("Minimum rating, 0.5 to 5.")
    )
    language = LanguageFilter(method="by_language", label=_("A language tag; pt finds pt-br too."))

    class Meta:
        model = Review
        fields: list[str] = []

    def by_book(self, reviews: ReviewQuerySet, name: str, value: Decimal) -> ReviewQuerySet:
        """Filter by book; the id of a merged book stands for its merge target."""
        return reviews.of_book(Book.objects.survivor(int(value)))

    def by_rating(self, reviews: ReviewQuerySet, name: str, value: Decimal) -> ReviewQuerySet:
        """Filter by minimum rating, given in stars."""
        return reviews.filter(rating__gte=math.ceil(value * 2))

    def by_language(self, reviews: ReviewQuerySet, name: str, value: str) -> ReviewQuerySet:
        """Filter by language, including its regional variants."""
        return reviews.in_language(value.lower())
