"""Queries for meetings."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Avg, Case, Count, OuterRef, Prefetch, Q, Subquery, When
from django.http import Http404
from django.utils.timezone import now

from accounts.models import User
from meetings.choices import MeetingStatus

if TYPE_CHECKING:
    from clubs.club.models import Club
    from meetings.models import Meeting  # noqa: F401  # used by the base class below


class MeetingQuerySet(models.QuerySet["Meeting"]):
    """Queries for meetings."""

    def not_deleted(self) -> MeetingQuerySet:
        """Exclude deleted meetings, which are stored for calendars only."""
        return self.filter(deleted_at=None)

    def upcoming(self) -> MeetingQuerySet:
        """Return meetings that have not started."""
        return self.filter(starts_at__gt=now())

    def scheduled(self) -> MeetingQuerySet:
        """Return meetings that will take place."""
        return self.not_deleted().upcoming().filter(status=MeetingStatus.SCHEDULED)

    def started(self) -> MeetingQuerySet:
        """Return meetings that have started."""
        return self.filter(starts_at__lte=now())

    def by_proximity(self) -> MeetingQuerySet:
        """Order by proximity: upcoming meetings, soonest first, then past ones, latest first."""
        upcoming = Case(When(starts_at__gt=now(), then="starts_at"))
        return self.order_by(upcoming.asc(nulls_last=True), "-starts_at", "-pk")

    def past(self) -> MeetingQuerySet:
        """Return meetings that are over and were not cancelled."""
        return self.not_deleted().filter(status=MeetingStatus.SCHEDULED, ends_at__lte=now())

    def with_rsvp_of(self, user: User | AnonymousUser) -> MeetingQuerySet:
        """Prefetch the series and the RSVP of `user` (`own_rsvps`), in two queries."""
        rsvps: Any = self.model._meta.get_field("rsvps").related_model
        own = rsvps.objects.filter(user=user.pk if user.is_authenticated else None).with_waitlist_position()
        return self.prefetch_related("series", Prefetch("rsvps", own, to_attr="own_rsvps"))

    def next_per_club(self, clubs: Iterable[Club] | Iterable[int] | None = None) -> MeetingQuerySet:
        """Return the next scheduled meeting of each club, or of each of `clubs`.

        >>> Meeting.objects.next_per_club(clubs).with_rsvp_of(user)
        """
        scheduled = self.model.objects.scheduled().filter(club=OuterRef("club"))
        first = scheduled.order_by("starts_at", "pk").values("pk")[:1]
        meetings = self.not_deleted().upcoming().filter(pk=Subquery(first))
        return meetings if clubs is None else meetings.filter(club__in=clubs)

    def resync_timezones(self) -> int:
        """Call `Meeting.resync_timezone` on upcoming meetings. Return how many changed."""
        changed = 0
        for meeting in self.not_deleted().upcoming().select_related("club").iterator():
            with suppress(Http404):  # deleted in the meantime
                changed += meeting.resync_timezone()
        return changed

    def attendance(self) -> tuple[int, float | None]:
        """Return how many of these meetings somebody attended, and the mean of the recorded attendances."""
        held = Count("pk", filter=Q(attended_count__gt=0))
        result = self.past().aggregate(count=held, mean=Avg("attended_count"))
        mean = result["mean"]
        return result["count"], None if mean is None else round(float(mean), 2)
