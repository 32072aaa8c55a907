"""Joins that only look something up."""

from typing import Any, TypeVar, cast

from django.db.models import QuerySet
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import Join

Q = TypeVar("Q", bound=QuerySet[Any])


class _Lookup(Join):
    """A left join that stays one, whatever is filtered later."""

    @property
    def identity(self) -> Any:
        """That of the join it stands for, so that Django finds it."""
        return (Join, *super().identity[1:])

    def demote(self) -> Join:
        """It filters nothing, so an inner join would do; which is what this is here to prevent."""
        return self


def looking_up(rows: Q, name: str) -> Q:
    """`rows.select_related(name)`, with the relation looked up for the rows that are found.

    Given an inner join to a table that is small beside its own, MariaDB reads that table first, then all the rows that
    refer to it, and sorts those: seconds for the first page of a list. A left join keeps the order, and with it the
    index by which the page is found.
    """
    rows = rows.select_related(name)
    query = rows.query
    alias = query.setup_joins([name], query.get_meta(), query.get_initial_alias()).joins[-1]
    join = cast(Join, query.alias_map[alias])
    query.alias_map[alias] = _Lookup(
        join.table_name, join.parent_alias, join.table_alias, LOUTER, join.join_field, join.nullable
    )
    return rows
