"""Insert the rows of querysets into a table, with one statement and without loading them."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Model, QuerySet


def insert_select(model: type[Model], fields: Sequence[str], *querysets: QuerySet[Any, Any], using: str) -> int:
    """Insert the rows of all querysets and return their number. Each is a `values_list` of these fields, in order."""
    connection = connections[using]
    selects, params = [], []
    for queryset in querysets:
        try:
            select, values = queryset.order_by().query.get_compiler(using).as_sql()
        except EmptyResultSet:
            continue
        selects.append(select)
        params += values
    if not selects:
        return 0
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(model._meta.get_field(name).column)) for name in fields)  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        table = quote(model._meta.db_table)
        cursor.execute(f"INSERT INTO {table} ({columns}) {' UNION ALL '.join(selects)}", params)
        return int(cursor.rowcount)
