"""Models of the ballots app."""

from ballots.models.ballots import MAX_CANDIDATES, MIN_CANDIDATES, TITLE_LENGTH, Ballot
from ballots.models.votes import Candidate, Vote

__all__ = ["MAX_CANDIDATES", "MIN_CANDIDATES", "TITLE_LENGTH", "Ballot", "Candidate", "Vote"]
