"""Filters of meetings. Only fields that non-members see may be filtered by."""

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import FlagFilter
from clubs.meetings.models import Meeting, MeetingQuerySet, Status


class MeetingFilter(django_filters.FilterSet):
    """Filter meetings by start and status."""

    upcoming = FlagFilter(
        method="by_upcoming", label=_("true: meetings that have not started; false: meetings that have.")
    )
    past = FlagFilter(method="by_past", label=_("true: meetings that have started; false: meetings that have not."))
    status = django_filters.ChoiceFilter(choices=Status.choices)

    class Meta:
        model = Meeting
        fields: list[str] = []

    def by_upcoming(self, meetings: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """Filter by the start only, because non-members may not see the duration."""
        return meetings.ahead() if value == "true" else meetings.begun()

    def by_past(self, meetings: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """Filter by the start, as the opposite of `upcoming`."""
        return meetings.begun() if value == "true" else meetings.ahead()
