"""Filters of readings."""

import django_filters
from django.utils.translation import gettext_lazy as _

from core.api.filters import IdFilter
from readings.models import Reading, ReadingState


class ReadingFilter(django_filters.FilterSet):
    """Filter readings by book and state."""

    book = IdFilter(label=_("The book's id in the catalog."))
    state = django_filters.ChoiceFilter(choices=ReadingState.choices)

    class Meta:
        model = Reading
        fields: list[str] = []
