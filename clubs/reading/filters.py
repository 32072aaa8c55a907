"""What a reading list can be filtered by."""

import django_filters

from clubs.reading.models import Entry
from clubs.reading.rules import Status


class EntryFilter(django_filters.FilterSet):
    """`status`."""

    status = django_filters.ChoiceFilter(choices=Status.choices)

    class Meta:
        model = Entry
        fields: list[str] = []
