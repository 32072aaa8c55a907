"""All models of clubs."""

from clubs.club.models import Club, JoinPolicy, Visibility
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
