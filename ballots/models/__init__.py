"""Models of the ballots app."""

from ballots.models.ballots import MAX_CANDIDATES, MIN_CANDIDATES, TITLE_LENGTH, Ballot, BallotQuerySet
from ballots.models.votes import Candidate, Vote

__all__ = ["MAX_CANDIDATES", "MIN_CANDIDATES", "TITLE_LENGTH", "Ballot", "BallotQuerySet", "Candidate", "Vote"]
