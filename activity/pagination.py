"""Pagination of the user's own activity log."""

from typing import Any

from core.api.pagination import KeysetPagination


class UserActivityPagination(KeysetPagination):
    """Merges the events with the user as actor and those with the user as subject.

    Each part uses its own index. With a single OR query, the database would read and sort all events of the user.
    """

    def get_rows(self, queryset: Any, order: tuple[str, ...], limit: int) -> list[Any]:
        """Return the first rows of both parts, in order."""
        user, ids = self.request.user.pk, queryset.prefetch_related(None).order_by(*order).values_list("pk", flat=True)
        first_ids = {*ids.filter(actor=user)[:limit], *ids.filter(subject=user)[:limit]}
        return super().get_rows(queryset.filter(pk__in=first_ids), order, limit)
