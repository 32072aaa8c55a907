"""Filters of date polls."""

import django_filters

from meetings.date_polls.choices import DatePollStatus
from meetings.date_polls.models import DatePoll


class DatePollFilter(django_filters.FilterSet):
    """Filter date polls by status."""

    status = django_filters.ChoiceFilter(choices=DatePollStatus.choices)

    class Meta:
        model = DatePoll
        fields: list[str] = []
