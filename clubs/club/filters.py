"""Filters of the club list."""

import django_filters
from django.utils.translation import gettext_lazy as _

from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from core.api.filters import LanguageFilter, SearchTextFilter, StrictBooleanFilter


class ClubFilter(django_filters.FilterSet):
    """Query parameters of the club list."""

    search = SearchTextFilter(
        method="filter_search", label=_("Prefixes of words in the name or description, ignoring case and accents.")
    )
    language = LanguageFilter(method="filter_language", label=_("A language tag; pt finds pt-br too."))
    mine = StrictBooleanFilter(method="filter_mine", label=_("If true, only clubs you are in or have asked to join."))

    class Meta:
        model = Club
        fields: list[str] = []

    def filter_search(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Filter by word prefixes in the name or description."""
        return clubs.search(value)

    def filter_language(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Filter by language tag."""
        return clubs.in_language(value)

    def filter_mine(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Filter by the clubs that the user is in or has asked to join; none for anonymous users."""
        return clubs.joined_by(self.request.user) if value == "true" else clubs
