"""What staff see of what members write: of a private club nothing, until a report takes them to it."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext_lazy

HIDDEN = "…"


def said(
    model: type[Model],
    name: str,
    *,
    club: str = "club",
    when: Callable[[Any], bool] = lambda row: True,
    otherwise: Callable[[Any, Any], Any] = lambda row, value: value,
) -> Callable[[Any], Any]:
    """A column of the admin for a text of members: an ellipsis where it stands in a private club, and not empty.

    No list is sorted by it: the order would tell the words. `club` is the way to the club, `when` says of which rows it
    is a text, and `otherwise` puts the value of the others into words.
    """

    # Looked up when it is shown: the columns get their words later (`bookbridge.api.labels`).
    @admin.display(description=gettext_lazy(str(model._meta.get_field(name).verbose_name)))  # type: ignore[union-attr]
    def shown(row: Any) -> Any:
        value = getattr(row, name)
        if not when(row):
            return otherwise(row, value)
        return HIDDEN if value and attrgetter(club)(row).is_private else value

    shown.__name__ = name
    return shown
