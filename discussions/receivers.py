"""Receivers of the signals of accounts and clubs."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from catalog.models import Merge
from clubs.club.models import Club
from clubs.reading.models import Entry
from clubs.signals import club_deleted, entry_merged, entry_unmerged
from discussions import services
from discussions.models import Thread


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, anonymize: bool, **kwargs: Any) -> None:
    """Anonymize or empty the posts of a deleted account."""
    services.detach_user(user, anonymize=anonymize)


@receiver(club_deleted)
def delete_threads(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Delete the threads of a club that is being deleted."""
    services.delete_club_content(club)


@receiver(entry_merged)
def move_threads(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the threads about an entry to the one that stays."""
    threads = Thread.objects.filter(entry=source)
    merge.record_moved("thread", threads.values_list("pk", flat=True))
    threads.update(entry=target)


@receiver(entry_unmerged)
def move_threads_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the threads back when the merge is undone."""
    merge.restore_moved("thread", Thread.objects.filter(entry=target), entry=restored)
