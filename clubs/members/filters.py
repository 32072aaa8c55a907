"""Filters of the member list."""

import django_filters

from clubs.members.models import Membership
from clubs.roles import PUBLIC_STATUSES


class MemberFilter(django_filters.FilterSet):
    """Filter by status. Other statuses than `active` are for moderators only."""

    status = django_filters.ChoiceFilter(choices=PUBLIC_STATUSES)

    class Meta:
        model = Membership
        fields = ["status"]
