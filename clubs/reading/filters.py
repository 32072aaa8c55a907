"""Filters of the reading list."""

import django_filters

from clubs.reading.models import Entry
from clubs.reading.rules import Status


class EntryFilter(django_filters.FilterSet):
    """Query parameters of the reading list."""

    status = django_filters.ChoiceFilter(choices=Status.choices)

    class Meta:
        model = Entry
        fields: list[str] = []
