"""Filters of ballots."""

import django_filters

from clubs.ballots.models import Ballot, State


class BallotFilter(django_filters.FilterSet):
    """Filter ballots by status."""

    status = django_filters.ChoiceFilter(choices=State.choices)

    class Meta:
        model = Ballot
        fields: list[str] = []
