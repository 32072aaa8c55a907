"""Filters of the user list."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.api.filters import SearchTextFilter


class UserFilter(django_filters.FilterSet):
    """Filters users by name."""

    search = SearchTextFilter(
        method="filter_search",
        label=_("Matches the beginnings of words in usernames and display names, ignoring case and accents."),
    )

    class Meta:
        model = User
        fields: list[str] = []

    def filter_search(self, queryset: Any, name: str, value: str) -> QuerySet[User]:
        """Search by name."""
        users: QuerySet[User] = queryset.search(value)
        return users
