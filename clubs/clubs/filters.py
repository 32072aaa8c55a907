"""Filters of the club list."""

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import FlagFilter, LanguageFilter, SearchFilter
from clubs.clubs.models import Club, ClubQuerySet


class ClubFilter(django_filters.FilterSet):
    """Query parameters of the club list."""

    search = SearchFilter(
        method="by_search", label=_("Prefixes of words in the name or description, ignoring case and accents.")
    )
    language = LanguageFilter(method="by_language", label=_("A language tag; pt finds pt-br too."))
    mine = FlagFilter(method="by_mine", label=_("If true, only clubs you are in or have asked to join."))

    class Meta:
        model = Club
        fields: list[str] = []

    def by_search(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Filter by words."""
        return clubs.search(value)

    def by_language(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Filter by language tag."""
        return clubs.in_language(value.lower())

    def by_mine(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Filter by the user's own clubs; empty for anonymous users."""
        return clubs.of_member(self.request.user) if value == "true" else clubs
