"""Filters of notifications."""

import django_filters
from django.utils.translation import gettext_lazy as _

from activity.models import Notification, NotificationQuerySet
from core.api.filters import StrictBooleanFilter


class NotificationFilter(django_filters.FilterSet):
    """Filters notifications by whether they are unread."""

    unread = StrictBooleanFilter(
        method="filter_unread", label=_("`true` for unread notifications, `false` for read ones.")
    )

    class Meta:
        model = Notification
        fields: list[str] = []

    def filter_unread(self, rows: NotificationQuerySet, name: str, value: str) -> NotificationQuerySet:
        """Return the unread or the read notifications."""
        return rows.unread() if value == "true" else rows.filter(read_at__isnull=False)
