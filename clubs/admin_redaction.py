"""Admin columns that hide members' text from private clubs. Staff see it only through a report."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Model

REDACTED = "…"


def redacted_column(
    model: type[Model],
    name: str,
    *,
    club: str = "club",
    when: Callable[[Any], bool] = lambda row: True,
    otherwise: Callable[[Any, Any], Any] = lambda row, value: value,
) -> Callable[[Any], Any]:
    """Return an admin column for a text field, which shows an ellipsis for rows of private clubs.

    The column is not sortable, because the order would reveal the text. `club` is the path to the club, `when` selects
    the rows whose field contains member text, and `otherwise` formats the value of the other rows.
    """

    @admin.display(description=model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def column(row: Any) -> Any:
        value = getattr(row, name)
        if not when(row):
            return otherwise(row, value)
        return REDACTED if value and attrgetter(club)(row).is_private else value

    column.__name__ = name
    return column
