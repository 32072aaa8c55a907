"""Sections of a user's data export that come from opinions."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.export import ExportRows, Row, iter_rows
from accounts.models import User
from opinions.models import OPINION_COLUMNS, ArchivedOpinion, Opinion

RATINGS = ("rating", "rating_at_opening")


def opinions(user: User) -> ExportRows:
    """Return the user's opinions, including sealed ones, with ratings in stars."""
    return _in_stars(Opinion.objects.filter(user=user), "entry", club="entry__club")


def archived_opinions(user: User) -> ExportRows:
    """Return the user's opinions that were replaced by newer ones when two books were merged."""
    return _in_stars(ArchivedOpinion.objects.filter(user=user), "entry_id")


def _in_stars(rows: QuerySet[Any], *columns: str, **aliases: Any) -> ExportRows:
    stars = {name: serializers.FloatField(allow_null=True) for name in RATINGS}
    return iter_rows(rows, *columns, *OPINION_COLUMNS, **aliases).map(_convert_ratings, **stars)


def _convert_ratings(row: Row) -> Row:
    return {**row, **{name: row[name] and row[name] / 2 for name in RATINGS}}


EXPORT_SECTIONS = {"opinions": opinions, "archived_opinions": archived_opinions}
