"""Import the models of all packages, where Django looks for them."""

from clubs.club.choices import JoinPolicy, Visibility
from clubs.club.models import Club
from clubs.members.models import Invitation, Membership
from clubs.reading.models import Entry, EntryChange, Milestone, Progress

__all__ = [
    "Club",
    "Entry",
    "EntryChange",
    "Invitation",
    "JoinPolicy",
    "Membership",
    "Milestone",
    "Progress",
    "Visibility",
]
