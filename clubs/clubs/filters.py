"""What the list of clubs can be narrowed down by."""

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import FlagFilter, LanguageFilter, SearchFilter
from clubs.clubs.models import Club, ClubQuerySet


class ClubFilter(django_filters.FilterSet):
    """Each parameter narrows the list further."""

    search = SearchFilter(
        method="by_search", label=_("Every word is the start of a word in name or description; no case, no accents.")
    )
    language = LanguageFilter(method="by_language", label=_("A language tag; pt finds pt-br too."))
    mine = FlagFilter(method="by_mine", label=_("true: those the caller is in or has asked to join."))

    class Meta:
        model = Club
        fields: list[str] = []

    def by_search(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """As the queryset says."""
        return clubs.search(value)

    def by_language(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """As the queryset says."""
        return clubs.in_language(value.lower())

    def by_mine(self, clubs: ClubQuerySet, name: str, value: str) -> ClubQuerySet:
        """Nothing for somebody without a sign-in."""
        return clubs.of_member(self.request.user) if value == "true" else clubs
