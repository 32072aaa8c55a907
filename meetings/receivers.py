"""Receivers of the signals of accounts and clubs."""

import datetime
from typing import Any

from django.db.models import QuerySet
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from catalog.models import Merge
from clubs.club.models import Club
from clubs.reading.models import Entry
from clubs.signals import club_deleted, entry_merged, entry_removed, entry_shifted, entry_unmerged, member_left
from meetings.date_polls.models import DateAnswer, DatePoll
from meetings.models import Meeting, withdraw_all_rsvps, withdraw_rsvps


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """Withdraw the RSVPs of a deleted account, delete its attendance, and record changes of its date polls."""
    withdraw_all_rsvps(user.pk)
    record_changes_of(changes_of(DatePoll.objects.filter(created_by=user), ChangeType.DATE_POLL))


@receiver(member_left)
def withdraw_rsvps_of_former_member(sender: Any, *, club_id: int, user_id: int, **kwargs: Any) -> None:
    """Withdraw the RSVPs and the answers to date polls of a former member."""
    # First, because `withdraw_rsvps` recomputes the member's last activity.
    DateAnswer.objects.withdraw(user_id=user_id, club_id=club_id)
    withdraw_rsvps(user_id, club_id)


@receiver(club_deleted)
def lock_meetings(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Lock the meetings and date polls of a club that is being deleted; they are deleted with its row."""
    # Before their RSVPs and answers are deleted, so that no new one is added in between.
    for rows in (Meeting.objects.filter(club=club), DatePoll.objects.filter(club=club)):
        list(rows.select_for_update().order_by("pk").values_list("pk"))


@receiver(entry_shifted)
def shift_meetings(sender: Any, *, entry: Entry, by: User, days: int, since: datetime.date, **kwargs: Any) -> int:
    """Move the coming meetings about an entry with its other dates."""
    return Meeting.shift_meetings(entry, by=by, days=days, since=since)


@receiver(entry_removed)
def record_removed_entry(sender: Any, *, entry: Entry, **kwargs: Any) -> None:
    """Record changes of the meetings and date polls whose entry is being deleted."""
    _record_changes(entry)


@receiver(entry_merged)
def move_meetings(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the meetings and date polls about an entry to the one that stays."""
    _record_changes(source)
    for kind, rows in _about(source).items():
        merge.record_moved(kind, rows.values_list("pk", flat=True))
        rows.update(entry=target)


@receiver(entry_unmerged)
def move_meetings_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the meetings and date polls back when the merge is undone."""
    _record_changes(target)
    for kind, rows in _about(target).items():
        merge.restore_moved(kind, rows, entry=restored)


def _about(entry: Entry) -> dict[str, QuerySet[Any]]:
    """Return the meetings and date polls about an entry, by the name of the object type."""
    return {"meeting": Meeting.objects.filter(entry=entry), "date_poll": DatePoll.objects.filter(entry=entry)}


def _record_changes(entry: Entry) -> None:
    """Record that the meetings and date polls about an entry have changed."""
    record_changes_of(
        changes_of(Meeting.objects.not_deleted().filter(entry=entry), ChangeType.MEETING),
        changes_of(DatePoll.objects.filter(entry=entry), ChangeType.DATE_POLL),
    )
