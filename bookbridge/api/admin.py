"""What the admin's pages have in common: quick at any size of a table."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from bookbridge.api.jobs import Job

MOST_COUNTED = 10_000
MOST_DIGITS = 18


def id_in(term: str) -> int | None:
    """The id that a search box names; None for a text, and for a number that is none of a row."""
    return int(term) if term.isdecimal() and len(term) <= MOST_DIGITS else None


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than 10,000 rows, so that no page scans a table; what lies behind is found by a search."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or 10,000."""
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


class QuickAdmin(ModelAdmin):
    """Rows are found through an index, and neither counted nor offered in a dropdown all at once.

    `beside` names the relations that a list shows. Each comes by a query of its own, not by a join: MariaDB would begin
    with the smaller table and sort the larger one.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_select_related: Any = ()
    ordering = ("-id",)
    beside: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what stands beside."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related(*self.beside)


class LookingAdmin(QuickAdmin):
    """Rows that staff look at; what they may do with them are actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The API makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The API changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They go with what they belong to."""
        return False


@admin.register(Job)
class JobAdmin(LookingAdmin):
    """What is to be done, what was, and what failed. What a job is about is not shown."""

    list_display = ("id", "name", "state", "attempts", "error", "due_at", "created_at", "ended_at")
    list_filter = ("state",)
    fields = ("name", "key", *list_display[2:])
