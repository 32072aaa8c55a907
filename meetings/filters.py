"""Filters of meetings. Only fields that non-members see may be filtered by."""

import django_filters
from django.utils.translation import gettext_lazy as _

from core.api.filters import StrictBooleanFilter
from meetings.choices import MeetingStatus
from meetings.models import Meeting
from meetings.querysets import MeetingQuerySet


class MeetingFilter(django_filters.FilterSet):
    """Filter meetings by start and status."""

    upcoming = StrictBooleanFilter(
        method="filter_upcoming", label=_("true: meetings that have not started; false: meetings that have.")
    )
    past = StrictBooleanFilter(
        method="filter_past", label=_("true: meetings that have started; false: meetings that have not.")
    )
    status = django_filters.ChoiceFilter(choices=MeetingStatus.choices)

    class Meta:
        model = Meeting
        fields: list[str] = []

    def filter_upcoming(self, queryset: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """Filter by the start only, because non-members may not see the duration."""
        return queryset.upcoming() if value == "true" else queryset.started()

    def filter_past(self, queryset: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """Filter by the start, as the opposite of `upcoming`."""
        return queryset.started() if value == "true" else queryset.upcoming()
