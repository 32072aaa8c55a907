"""The pages of a reader's own log."""

from typing import Any

from bookbridge.api.pagination import KeysetPagination


class OwnLogPagination(KeysetPagination):
    """Pages of what a reader did and of what was done to them, each found by an index of its own and then merged.

    Asked for both at once, the databases would read all of the reader's events and sort them.
    """

    def fetch(self, queryset: Any, order: tuple[str, ...], most: int) -> list[Any]:
        """The first rows of either part, in order."""
        bare = queryset.prefetch_related(None).order_by(*order).values_list("pk", flat=True)
        parts = [bare.filter(**{part: self.request.user.pk}) for part in ("actor", "subject")]
        return super().fetch(queryset.filter(pk__in={pk for part in parts for pk in part[:most]}), order, most)
