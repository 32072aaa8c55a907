"""Sections of a user's data export that come from opinions."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.export import iter_rows
from accounts.models import User
from opinions.models import OPINION_COLUMNS, ArchivedOpinion, Opinion


def opinions(user: User) -> Iterator[dict[str, Any]]:
    """Yield the opinions of the user, sealed ones included; ratings in stars."""
    return _in_stars(Opinion.objects.filter(user=user), "entry", club="entry__club")


def archived_opinions(user: User) -> Iterator[dict[str, Any]]:
    """Yield the opinions that were replaced by newer ones when two books were merged."""
    return _in_stars(ArchivedOpinion.objects.filter(user=user), "entry_id")


def _in_stars(rows: QuerySet[Any], *columns: str, **aliases: Any) -> Iterator[dict[str, Any]]:
    for row in iter_rows(rows, *columns, *OPINION_COLUMNS, **aliases):
        for name in ("rating", "rating_at_opening"):
            row[name] = row[name] and row[name] / 2
        yield row


EXPORT_SECTIONS = {"opinions": opinions, "archived_opinions": archived_opinions}
