"""Joins: LEFT JOINs that the query compiler does not turn into INNER JOINs, and joins of a few columns."""

from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import Join

Q = TypeVar("Q", bound=QuerySet[Any])


class _PinnedLeftJoin(Join):
    """A LEFT JOIN that later filters do not change."""

    @property
    def identity(self) -> Any:
        """The identity of a plain join, by which Django finds it for reuse."""
        return (Join, *super().identity[1:])

    def demote(self) -> Join:
        """Return the join unchanged instead of as an INNER JOIN."""
        return self


def select_related_left(rows: Q, name: str) -> Q:
    """Return `rows.select_related(name)` with a LEFT JOIN.

    With an INNER JOIN to a small table MariaDB reads that table first, then all rows that refer to it, and sorts them:
    seconds for the first page of a list. A LEFT JOIN preserves the order of the index that finds the page.
    """
    rows = rows.select_related(name)
    query = rows.query
    alias = query.setup_joins([name], query.get_meta(), query.get_initial_alias()).joins[-1]
    join = cast(Join, query.alias_map[alias])
    query.alias_map[alias] = _PinnedLeftJoin(
        join.table_name, join.parent_alias, join.table_alias, LOUTER, join.join_field, join.nullable
    )
    return rows


def other_columns(path: str, model: type[Model], *names: str) -> list[str]:
    """Return the columns of a joined model but `names` and the key, for `defer()`: summaries show few of many.

    >>> reviews.select_related("book").defer(*other_columns("book", Book, "title"))
    """
    columns = (field for field in model._meta.concrete_fields if not field.primary_key and field.name not in names)
    return [f"{path}__{field.name}" for field in columns]
