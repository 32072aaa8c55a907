"""Choices of ballots."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class VotingMethod(models.TextChoices):
    """Voting methods (`ballots.counting`)."""

    APPROVAL = "approval", _("approval")
    RANKED = "ranked", _("ranked")

    @property
    def field(self) -> str:
        """The API field that contains a vote."""
        return "approved" if self is VotingMethod.APPROVAL else "ranking"


class BallotStatus(models.TextChoices):
    """Status of a ballot."""

    OPEN = "open", pgettext_lazy("ballot", "open")
    CLOSED = "closed", pgettext_lazy("ballot", "closed")


class Outcome(models.TextChoices):
    """Outcome of a closed ballot."""

    WINNER = "winner", _("winner")
    NO_QUORUM = "no_quorum", _("quorum not reached")
    NO_VOTES = "no_votes", _("no votes")
