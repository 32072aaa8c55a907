"""What the list of members can be narrowed down by."""

import django_filters

from clubs.members.models import Membership
from clubs.roles import SHOWN_STATUSES


class MemberFilter(django_filters.FilterSet):
    """`?status=`: others than the active ones, for moderators."""

    status = django_filters.ChoiceFilter(choices=SHOWN_STATUSES)

    class Meta:
        model = Membership
        fields = ["status"]
