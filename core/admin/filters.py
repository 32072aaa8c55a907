"""Filters and searches of the admin's lists."""

import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from core.search.normalize import normalize_identifier

MAX_ID_DIGITS = 18
# With more users than this, a query does not list their ids.
MAX_USER_IDS_IN_FILTER = 1_000


def parse_id(term: str) -> int | None:
    """Return the id in a search box; None for text, and for a number too large for an id."""
    return int(term) if term.isdecimal() and len(term) <= MAX_ID_DIGITS else None


def filter_by_username_prefix(rows: QuerySet[Any], user_field: str, username: str) -> QuerySet[Any]:
    """Return the rows whose `user_field` is a user with this username prefix.

    Few users are matched by their ids. With many, the database reads the rows in order until the page is full; with
    few, that would read all rows.
    """
    condition = {"username_key__startswith": normalize_identifier(username.strip())}
    user_ids = list(get_user_model().objects.filter(**condition).values_list("pk", flat=True)[:MAX_USER_IDS_IN_FILTER])
    if len(user_ids) < MAX_USER_IDS_IN_FILTER:
        return rows.filter(**{f"{user_field}__in": user_ids})
    return rows.filter(**{f"{user_field}__{column}": value for column, value in condition.items()})


class DateTimeRangeFilter(RangeDateTimeFilter):
    """A range of time. A date without a time is a whole day; an invalid one matches nothing.

    The theme's own filter ignores invalid input, and then shows rows outside the range.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("period")  # instead of "By time"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup, time in (("from", "gte", datetime.time.min), ("to", "lte", datetime.time.max)):
            day, hour = (str(self.used_parameters.get(f"{self.parameter_name}_{end}_{n}") or "") for n in (0, 1))
            if day or hour:
                value = _parse_datetime(day, hour, time)
                if value is None:
                    return queryset.none()
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": value})
        return queryset


def _parse_datetime(day: str, hour: str, default: datetime.time) -> datetime.datetime | None:
    try:
        date, time = parse_date(day), parse_time(hour) if hour else default
    except ValueError:
        return None
    if date is None or time is None or not 1900 <= date.year <= 2100:
        return None
    return timezone.make_aware(datetime.datetime.combine(date, time.replace(tzinfo=None)))
