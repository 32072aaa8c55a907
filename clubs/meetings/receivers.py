"""What meetings do on the signals of accounts and clubs."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from catalog.merging.models import Merge
from clubs.clubs.models import Club
from clubs.meetings.answers import take_back, take_back_all
from clubs.meetings.models import Meeting
from clubs.reading.models import Entry
from clubs.signals import club_deleted, entry_merged, entry_unmerged, member_left


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Withdraw the RSVPs of a deleted account, and delete its attendance."""
    take_back_all(user.pk)


@receiver(member_left)
def withdraw_rsvps(sender: Any, *, club: int, user: int, **kwargs: Any) -> None:
    """Withdraw the RSVPs of a former member."""
    take_back(user, club)


@receiver(club_deleted)
def lock_meetings(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Lock the meetings of a club that is being deleted; they are deleted with its row."""
    # Before their RSVPs are deleted, so that no new RSVP is added in between.
    list(Meeting.objects.filter(club=club).select_for_update().order_by("pk").values_list("pk"))


@receiver(entry_merged)
def move_meetings(sender: Any, *, merge: Merge, gone: Entry, kept: Entry, **kwargs: Any) -> None:
    """Move the meetings about an entry to the one that stays."""
    meetings = Meeting.objects.filter(entry=gone)
    merge.note("meeting", meetings.values_list("pk", flat=True))
    meetings.update(entry=kept)


@receiver(entry_unmerged)
def move_meetings_back(sender: Any, *, merge: Merge, kept: Entry, again: Entry, **kwargs: Any) -> None:
    """Move them back."""
    merge.restore_moved("meeting", Meeting.objects.filter(entry=kept), entry=again)
