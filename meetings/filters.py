"""Filters of meetings. Only fields that non-members see may be filtered by."""

import datetime
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clubs.roles import Rank
from core.api.filters import IdFilter, StrictBooleanFilter
from meetings.choices import MeetingStatus, RsvpStatus
from meetings.models import Meeting, Rsvp
from meetings.querysets import MeetingQuerySet
from meetings.recurrence import MAX_START, MIN_START, to_utc


class DayFormField(forms.DateField):
    """A day as `YYYY-MM-DD` between 1900 and 2100."""

    def __init__(self, **kwargs: Any) -> None:
        limits = [MinValueValidator(MIN_START.date()), MaxValueValidator(datetime.date(MAX_START.year - 1, 12, 31))]
        super().__init__(input_formats=["%Y-%m-%d"], validators=limits, **kwargs)


class DayFilter(django_filters.DateFilter):
    """A day."""

    field_class = DayFormField


class MeetingFilter(django_filters.FilterSet):
    """Filter meetings by start, status and series."""

    upcoming = StrictBooleanFilter(
        method="filter_upcoming", label=_("true: meetings that have not started; false: meetings that have.")
    )
    past = StrictBooleanFilter(
        method="filter_past", label=_("true: meetings that have started; false: meetings that have not.")
    )
    status = django_filters.ChoiceFilter(choices=MeetingStatus.choices)
    series = IdFilter(method="filter_series", label=_("The id of a series."))
    to = DayFilter(method="filter_to", label=_("The last day, in the club’s time zone."))

    class Meta:
        model = Meeting
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """Add `from`, which is a keyword in Python."""
        first_day = DayFilter(method="filter_from", label=_("The first day, in the club’s time zone."))
        return {**super().get_filters(), "from": first_day}

    def filter_upcoming(self, queryset: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """Filter by the start only, because non-members may not see the duration."""
        return queryset.upcoming() if value == "true" else queryset.started()

    def filter_series(self, queryset: MeetingQuerySet, name: str, value: Decimal) -> MeetingQuerySet:
        """Return nothing to non-members, who may not see which meetings belong together."""
        return queryset.filter(series=int(value)) if self._club.my_rank >= Rank.MEMBER else queryset.none()

    def filter_from(self, queryset: MeetingQuerySet, name: str, value: datetime.date) -> MeetingQuerySet:
        return queryset.filter(starts_at__gte=self._start_of(value))

    def filter_to(self, queryset: MeetingQuerySet, name: str, value: datetime.date) -> MeetingQuerySet:
        return queryset.filter(starts_at__lt=self._start_of(value + datetime.timedelta(days=1)))

    @property
    def _club(self) -> Any:
        return self.request.parser_context["view"].club

    def _start_of(self, day: datetime.date) -> datetime.datetime:
        """Return when the day begins in the club's time zone."""
        return to_utc(datetime.datetime.combine(day, datetime.time.min), self._club.timezone)

    def filter_past(self, queryset: MeetingQuerySet, name: str, value: str) -> MeetingQuerySet:
        """Filter by the start, as the opposite of `upcoming`."""
        return queryset.started() if value == "true" else queryset.upcoming()


NO_ANSWER = "none"


class RsvpFilter(django_filters.FilterSet):
    """Filter RSVPs by answer."""

    answer = django_filters.ChoiceFilter(
        choices=[*RsvpStatus.choices, (NO_ANSWER, _("no answer"))],
        method="filter_answer",
        label=_("`none`: members who have not answered; for moderators only."),
    )

    class Meta:
        model = Rsvp
        fields: list[str] = []

    def filter_answer(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Filter by answer. For `none` the view returns the members without one."""
        return queryset if value == NO_ANSWER else queryset.filter(answer=value)
