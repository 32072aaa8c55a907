"""Content of the home screen, as returned by `GET users/me/home/`.

The number of queries does not depend on the number of clubs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from accounts.models import User
from activity.models import Notification
from ballots.models import Ballot
from clubs.club.models import Club
from clubs.club.services import prefetch_club_details
from clubs.members.models import Membership
from clubs.reading.models import Progress

MAX_CLUBS = 500
MAX_BALLOTS = 500


@dataclass
class HomeScreen:
    """Current state of the clubs of `user`, and the number of unread notifications."""

    user: User

    @cached_property
    def clubs(self) -> Sequence[Club]:
        """The clubs of which the user is a member, by name."""
        own = Membership.objects.active().filter(user=self.user)
        clubs = Club.objects.filter(pk__in=own.values("club")).with_membership_of(self.user)
        return list(prefetch_club_details(clubs, self.user).order_by("name_key", "pk")[:MAX_CLUBS])

    @cached_property
    def progress_by_club(self) -> Mapping[int, Progress]:
        """The user's progress in the current book of each club."""
        clubs = {entry.pk: club.pk for club in self.clubs for entry in club.current_entries}  # type: ignore[attr-defined]
        rows = Progress.objects.filter(user=self.user, entry__in=clubs).with_spoilers_ok()
        return {clubs[row.entry_id]: row for row in rows}

    @cached_property
    def ballots_by_club(self) -> Mapping[int, Sequence[Ballot]]:
        """Open ballots of each club, by closing time."""
        found: defaultdict[int, list[Ballot]] = defaultdict(list)
        ballots = Ballot.objects.open_in_clubs([club.pk for club in self.clubs]).with_details_for(self.user)
        for ballot in ballots[:MAX_BALLOTS]:
            found[ballot.club_id].append(ballot)
        return found

    @property
    def unread_notifications(self) -> int:
        """Number of unread notifications."""
        return Notification.objects.for_user(self.user).unread().count()
