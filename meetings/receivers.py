"""Receivers of the signals of accounts and clubs."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from catalog.models import Merge
from clubs.club.models import Club
from clubs.reading.models import Entry
from clubs.signals import club_deleted, entry_merged, entry_removed, entry_unmerged, member_left
from meetings.models import Meeting, withdraw_all_rsvps, withdraw_rsvps


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Withdraw the RSVPs of a deleted account, and delete its attendance."""
    withdraw_all_rsvps(user.pk)


@receiver(member_left)
def withdraw_rsvps_of_former_member(sender: Any, *, club_id: int, user_id: int, **kwargs: Any) -> None:
    """Withdraw the RSVPs of a former member."""
    withdraw_rsvps(user_id, club_id)


@receiver(club_deleted)
def lock_meetings(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Lock the meetings of a club that is being deleted; they are deleted with its row."""
    # Before their RSVPs are deleted, so that no new RSVP is added in between.
    list(Meeting.objects.filter(club=club).select_for_update().order_by("pk").values_list("pk"))


@receiver(entry_removed)
def record_removed_entry(sender: Any, *, entry: Entry, **kwargs: Any) -> None:
    """Record that the meetings about a deleted entry are about none."""
    _record_changes(entry)


@receiver(entry_merged)
def move_meetings(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the meetings about an entry to the one that stays."""
    meetings = Meeting.objects.filter(entry=source)
    _record_changes(source)
    merge.record_moved("meeting", meetings.values_list("pk", flat=True))
    meetings.update(entry=target)


@receiver(entry_unmerged)
def move_meetings_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the meetings back when the merge is undone."""
    _record_changes(target)
    merge.restore_moved("meeting", Meeting.objects.filter(entry=target), entry=restored)


def _record_changes(entry: Entry) -> None:
    """Record that the meetings about an entry have changed."""
    record_changes_of(changes_of(Meeting.objects.not_deleted().filter(entry=entry), ChangeType.MEETING))
