"""The dashboard on the admin's index page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import Promise

from core.admin.changelist import count_up_to

MAX_COUNTED = 10_000


class Panel(NamedTuple):
    """A panel: a title, and (label, value, URL) for each line."""

    title: str | Promise
    rows: Sequence[tuple[str | Promise, Any, str]]


def format_capped_count(rows: QuerySet[Any]) -> str:
    """Return the number of rows in the active language's format, or "10,000+" for that many or more."""
    return format_capped(count_up_to(rows, MAX_COUNTED))


def format_capped(count: int) -> str:
    """Return a count of up to `MAX_COUNTED` in the active language's format, with a "+" at the maximum."""
    return number_format(count, force_grouping=True) + "+" * (count == MAX_COUNTED)
