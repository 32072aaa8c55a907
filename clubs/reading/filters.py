"""Filters of the reading list."""

import django_filters

from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry


class EntryFilter(django_filters.FilterSet):
    """Query parameters of the reading list."""

    status = django_filters.ChoiceFilter(choices=EntryStatus.choices)

    class Meta:
        model = Entry
        fields: list[str] = []
