"""What a club's meetings can be filtered by: nothing that is hidden from whoever sees the list."""

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import FlagFilter
from clubs.meetings.models import Meeting, MeetingQuerySet, Status


class MeetingFilter(django_filters.FilterSet):
    """`upcoming`, `past` and `status`."""

    upcoming = FlagFilter(method="by_upcoming", label=_("true: those that have not begun; false: those that have."))
    past = FlagFilter(method="by_past", label=_("true: those that have begun; false: those that have not."))
    status = django_filters.ChoiceFilter(choices=Status.choices)

    class Meta:
        model = Meeting
        fields: list[str] = []

    def by_upcoming(self, meetings: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """By the beginning alone: how long a meeting takes is for members."""
        return meetings.ahead() if value == "true" else meetings.begun()

    def by_past(self, meetings: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """The other way round."""
        return meetings.begun() if value == "true" else meetings.ahead()
