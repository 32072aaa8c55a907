"""Change lists of large tables: counted up to a limit, and sorted by an index."""

from functools import cached_property
from itertools import islice
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

# A list ends there; staff find the rows behind it by searching or filtering.
MAX_LIST_ROWS = 2_000


def count_up_to(rows: QuerySet[Any], most: int) -> int:
    """Return the number of rows, or `most` if there are more."""
    return int(rows.order_by()[:most].count())


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most 2,000 rows, so that no page scans a table."""

    # The theme draws the page numbers with it; its own would present 2,000 as the number of rows.
    template_name = "core/page_numbers.html"

    @property
    def is_capped(self) -> bool:
        """Whether there may be more rows than are listed."""
        return self.count == MAX_LIST_ROWS

    @cached_property
    def count(self) -> int:
        """The number of rows, or 2,000 if there are more."""
        rows: Any = self.object_list
        return count_up_to(rows, MAX_LIST_ROWS)


class IndexOrderedChangeList(ChangeList):
    """Change list that sorts by one column and breaks ties in the same direction, so that an index is used.

    Django's own breaks ties by descending id in both directions, and also sorts by the columns clicked before.
    """

    def get_results(self, request: HttpRequest) -> None:
        """Drop the full count, which the theme shows at the top, where it says nothing or is capped."""
        super().get_results(request)
        if getattr(self.paginator, "is_capped", False) or not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return None for a column that is not sortable, also if the URL names it."""
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Order by the first column of the URL only."""
        ordering = super().get_ordering(request, queryset)
        if ORDER_VAR not in self.params:
            return ordering
        sign = "-" if ordering[0].startswith("-") else ""
        return [ordering[0], f"{sign}pk"] if ordering[0].removeprefix("-") not in ("id", "pk") else ordering[:1]

    def get_ordering_field_columns(self) -> dict[int, str]:
        """Return only the column that the list is sorted by."""
        return dict(islice(super().get_ordering_field_columns().items(), 1))


def indexed_columns(model: type[models.Model]) -> set[str]:
    """Return the columns by which a table of any size is sorted quickly: those with an index on them and the id."""
    fields: Any = model._meta.concrete_fields
    own = {field.name for field in fields if field.db_index or field.unique}
    return own | {index.fields[0] for index in model._meta.indexes if index.fields[1:] in ([], ["id"])}
