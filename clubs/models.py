"""Models of all subpackages."""

from clubs.ballots.models import Ballot, Candidate, Vote
from clubs.clubs.models import Club, JoinPolicy, Visibility
from clubs.discussions.models import Thread
from clubs.discussions.posts import Post
from clubs.discussions.reactions import Reaction, Reveal
from clubs.meetings.answers import Attendance, Rsvp
from clubs.meetings.models import Meeting, Series
from clubs.meetings.tokens import CalendarToken
from clubs.members.invitations import Invitation
from clubs.members.models import Membership
from clubs.reading.models import Entry, EntryChange, Milestone, Progress

__all__ = [
    "Attendance",
    "Ballot",
    "CalendarToken",
    "Candidate",
    "Club",
    "Entry",
    "EntryChange",
    "Invitation",
    "JoinPolicy",
    "Meeting",
    "Membership",
    "Milestone",
    "Post",
    "Progress",
    "Reaction",
    "Reveal",
    "Rsvp",
    "Series",
    "Thread",
    "Visibility",
    "Vote",
]
