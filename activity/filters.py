"""What the list of notifications can be narrowed down by."""

import django_filters
from django.utils.translation import gettext_lazy as _

from activity.models import Notification, NotificationQuerySet
from bookbridge.api.filters import FlagFilter


class NotificationFilter(django_filters.FilterSet):
    """The ones that wait to be read, or the others."""

    unread = FlagFilter(method="by_unread", label=_("true: those that were not marked as read."))

    class Meta:
        model = Notification
        fields: list[str] = []

    def by_unread(self, rows: NotificationQuerySet, name: str, value: str) -> NotificationQuerySet:
        """As the queryset says."""
        return rows.unread() if value == "true" else rows.filter(read_at__isnull=False)
