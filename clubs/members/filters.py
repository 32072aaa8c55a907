"""Filters of the member list."""

import datetime
from decimal import Decimal

import django_filters
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clubs.members.models import Membership, MembershipQuerySet
from clubs.roles import PUBLIC_STATUSES
from core.api.filters import NumberFilter

MAX_INACTIVE_DAYS = 3650


class MemberFilter(django_filters.FilterSet):
    """Filter by status and inactivity. Other statuses than `active`, and inactivity, are for moderators only."""

    status = django_filters.ChoiceFilter(choices=PUBLIC_STATUSES)
    inactive_days = NumberFilter(
        method="filter_inactive",
        min_value=1,
        max_value=MAX_INACTIVE_DAYS,
        decimal_places=0,
        label=_("For moderators: members who have neither joined nor been visibly active for so many days."),
    )

    class Meta:
        model = Membership
        fields = ["status"]

    def filter_inactive(self, members: MembershipQuerySet, name: str, days: Decimal) -> MembershipQuerySet:
        last = Coalesce("last_active_at", "joined_at")
        return members.alias(last=last).filter(last__lt=timezone.now() - datetime.timedelta(int(days)))
