"""Queries for ballots."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Count, F, OuterRef, Prefetch, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from ballots.choices import BallotStatus
from ballots.models.votes import Candidate, Vote

if TYPE_CHECKING:
    from ballots.models import Ballot  # noqa: F401  # used by the base class below


class BallotQuerySet(models.QuerySet["Ballot"]):
    """Queries for ballots."""

    def due(self) -> BallotQuerySet:
        """Return open ballots after their closing time."""
        return self.filter(status=BallotStatus.OPEN, closes_at__lte=timezone.now())

    def open_in_clubs(self, clubs: Collection[int]) -> BallotQuerySet:
        """Return the ballots of `clubs` that accept votes, in the order of their closing times."""
        ballots = self.filter(club__in=clubs, status=BallotStatus.OPEN, closes_at__gt=timezone.now())
        return ballots.order_by("closes_at", "id")

    def close_due(self) -> None:
        """Close due ballots, for requests that arrive before the task has run."""
        for ballot in self.due().select_related("club").order_by("closes_at", "id"):
            ballot.close_if_due()

    def with_details_for(self, user: User) -> BallotQuerySet:
        """Load what a response to `user` contains, in three queries."""
        votes = Vote.objects.of_active_members().filter(ballot=OuterRef("pk"))
        open_count = Coalesce(Subquery(votes.order_by().values("ballot").annotate(n=Count("pk")).values("n")), 0)
        return (
            self.select_related("created_by")
            .annotate(voters_count=Case(When(status=BallotStatus.CLOSED, then=F("voters")), default=open_count))
            .prefetch_related(
                Prefetch("candidates", Candidate.objects.order_by("position"), to_attr="ordered_candidates"),
                Prefetch("votes", Vote.objects.filter(user=user.pk), to_attr="own_votes"),
            )
        )
