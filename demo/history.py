"""Dates of the demo data, spread over the last year, so that the charts have something to show."""

import datetime
from collections import Counter
from collections.abc import Collection

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry
from core.registry import counter_checks
from reviews.models import Review

# The first user joined that long ago, the others one after another; each founded a club soon after joining.
FIRST, STEP, FOUNDED = datetime.timedelta(days=345), datetime.timedelta(days=25), datetime.timedelta(days=5)


def spread_over_a_year(users: Collection[User]) -> None:
    """Date users, clubs, memberships, reviews and finished books back, and recompute the monthly counters."""
    now = timezone.now()
    joined = {user.pk: now - FIRST + STEP * number for number, user in enumerate(users)}
    for pk, at in joined.items():
        User.objects.filter(pk=pk).update(joined_at=at)
    for club in Club.objects.filter(owner__in=joined):
        founded = joined[club.owner_id] + FOUNDED
        Club.objects.filter(pk=club.pk).update(created_at=founded)
        for pk, user in Membership.objects.filter(club=club, user__in=joined).values_list("pk", "user"):
            Membership.objects.filter(pk=pk).update(joined_at=max(founded, joined[user] + FOUNDED))
    reviews = list(Review.objects.filter(author__in=joined).order_by("pk").values_list("pk", "author"))
    totals, written = Counter(author for _pk, author in reviews), Counter[int]()
    for pk, author in reviews:
        written[author] += 1
        age = (now - joined[author]) * written[author] / (totals[author] + 1)
        Review.objects.filter(pk=pk).update(created_at=joined[author] + age)
    Entry.objects.filter(club__owner__in=joined, status=EntryStatus.FINISHED, ends_on__isnull=False).update(
        finished_on=F("ends_on")
    )
    # The dates of reviews are among the activities of members.
    memberships = Membership.objects.filter(club__owner__in=joined).order_by("pk")
    Membership.objects.refresh_last_active(list(memberships.values_list("pk", flat=True)))
    for check in counter_checks.values():
        check.differences(repair=True)
