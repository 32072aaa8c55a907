"""Related rows as a JSON column, which saves a separate query."""

from typing import Any

from django.db.models import Aggregate, Func, JSONField, QuerySet, Subquery


class JSONArrayAgg(Aggregate):
    """The values of all rows as a JSON list, in no particular order."""

    function = "JSON_ARRAYAGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Use SQLite's name for the function."""
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra)


def json_rows(rows: QuerySet[Any], group: str, *columns: str) -> Subquery:
    """Return columns of `rows`, which refer to the outer query with `group`, as a list of lists; NULL for no row.

    >>> authors = BookAuthor.objects.filter(book=OuterRef("pk"))
    >>> books.annotate(author_list=json_rows(authors, "book", "position", "name"))

    The lists have no order: sort them by their first column.
    """
    grouped = rows.order_by().values(group)
    # Not Django's JSONArray, which runs a query to find out whether SQLite supports JSON.
    row = Func(*columns, function="JSON_ARRAY", output_field=JSONField())
    return Subquery(grouped.annotate(json_rows=JSONArrayAgg(row)).values("json_rows"))
