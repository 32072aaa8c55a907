"""Filters of ballots."""

import django_filters

from ballots.choices import BallotStatus
from ballots.models import Ballot


class BallotFilter(django_filters.FilterSet):
    """Filter ballots by status."""

    status = django_filters.ChoiceFilter(choices=BallotStatus.choices)

    class Meta:
        model = Ballot
        fields: list[str] = []
