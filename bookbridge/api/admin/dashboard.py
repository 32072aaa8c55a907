"""The dashboard on the admin's index page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import Promise

from bookbridge.api.admin.changelist import capped

MOST_COUNTED = 10_000


class Panel(NamedTuple):
    """A panel: a title, and (label, value, URL) for each line."""

    title: str | Promise
    rows: Sequence[tuple[str | Promise, Any, str]]


def counted(rows: QuerySet[Any]) -> str:
    """Return the number of rows in the active language's format, or "10,000+" for that many or more."""
    count = capped(rows, MOST_COUNTED)
    return number_format(count, force_grouping=True) + "+" * (count == MOST_COUNTED)
