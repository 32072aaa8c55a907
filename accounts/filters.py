"""Query parameters of accounts."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.filters import SearchFilter


class UserFilter(django_filters.FilterSet):
    """`?search=`: readers by name."""

    search = SearchFilter(
        method="by_name", label=_("Every word is the start of a word in username or display name; no case, no accents.")
    )

    class Meta:
        model = User
        fields: list[str] = []

    def by_name(self, queryset: Any, name: str, value: str) -> QuerySet[User]:
        """Every word the start of a word of the username or the display name."""
        found: QuerySet[User] = queryset.search(value)
        return found
