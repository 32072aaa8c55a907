"""What lists of reviews can be narrowed down by."""

import math
from decimal import Decimal

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import IdFilter, LanguageFilter
from catalog.models import Book
from reviews.models import Review
from reviews.querysets import ReviewQuerySet


class ReviewFilter(django_filters.FilterSet):
    """Each parameter narrows the list further."""

    book = IdFilter(method="by_book", label=_("A book's id."))
    user = IdFilter(field_name="author", label=_("The id of the reader who wrote it."))
    min_rating = django_filters.NumberFilter(
        method="by_rating", min_value=0.5, max_value=5, label=_("Least rating, 0.5 to 5.")
    )
    language = LanguageFilter(method="by_language", label=_("A language tag; pt finds pt-br too."))

    class Meta:
        model = Review
        fields: list[str] = []

    def by_book(self, reviews: ReviewQuerySet, name: str, value: Decimal) -> ReviewQuerySet:
        """As the queryset says; of one that is part of another by now, that one's."""
        return reviews.of_book(Book.objects.survivor(int(value)))

    def by_rating(self, reviews: ReviewQuerySet, name: str, value: Decimal) -> ReviewQuerySet:
        """Those with at least so many stars."""
        return reviews.filter(rating__gte=math.ceil(value * 2))

    def by_language(self, reviews: ReviewQuerySet, name: str, value: str) -> ReviewQuerySet:
        """As the queryset says."""
        return reviews.in_language(value.lower())
