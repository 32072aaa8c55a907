"""The models of the app, from the folder of each subject."""

from clubs.clubs.models import Club, JoinPolicy, Visibility
from clubs.members.models import Invitation, Membership

__all__ = ["Club", "Invitation", "JoinPolicy", "Membership", "Visibility"]
