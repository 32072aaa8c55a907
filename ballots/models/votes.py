"""Candidates and votes of ballots."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from ballots.choices import BallotStatus
from clubs.members.models import Membership
from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry


class CandidateQuerySet(models.QuerySet["Candidate"]):
    """Queries for candidates."""

    def still_proposed(self) -> CandidateQuerySet:
        """Return candidates that are still proposed and not unreachable, oldest proposal first."""
        return self.filter(entry__status=EntryStatus.PROPOSED, unreachable=False).order_by("entry__created_at", "entry")

    def not_won(self) -> CandidateQuerySet:
        """Return candidates of closed ballots that did not win."""
        return self.filter(ballot__status=BallotStatus.CLOSED, won=False)


class Candidate(models.Model):
    """A candidate of a ballot. It stays when its entry is deleted, hence no database constraint on `entry`."""

    ballot = models.ForeignKey("ballots.Ballot", models.CASCADE, related_name="candidates")
    position = models.PositiveSmallIntegerField(verbose_name=_("position"))
    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, related_name="candidacies", db_constraint=False, verbose_name=_("entry")
    )
    won = models.BooleanField(default=False)
    # Whether too many members could not get the book at closing time.
    unreachable = models.BooleanField(default=False, db_default=False)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        constraints = [
            models.UniqueConstraint(fields=["ballot", "position"], name="ballots_candidate_position"),
            models.UniqueConstraint(fields=["ballot", "entry"], name="ballots_candidate_once"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.entry_id}"


class VoteQuerySet(models.QuerySet["Vote"]):
    """Queries for votes."""

    def of_active_members(self) -> VoteQuerySet:
        """Return the votes of current members; only those count."""
        members = Membership.objects.active().filter(club=OuterRef("ballot__club"), user=OuterRef("user"))
        return self.filter(Exists(members))


class Vote(models.Model):
    """A member's vote: the positions of candidates, in the order sent. Shown to nobody else, not even to staff.

    It has no timestamp, which could link it to one of the anonymous votes of the result.
    """

    ballot = models.ForeignKey("ballots.Ballot", models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="votes", verbose_name=_("user"))
    positions = models.JSONField()

    objects = VoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [models.UniqueConstraint(fields=["ballot", "user"], name="ballots_vote_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.ballot_id}"
