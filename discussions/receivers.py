"""Receivers of the signals of accounts and clubs."""

from typing import Any

from django.dispatch import receiver

from accounts.events import AccountEvent
from accounts.models import User
from accounts.signals import account_deleted, account_event
from catalog.models import Merge
from clubs.club.models import Club
from clubs.reading.models import Entry
from clubs.signals import club_deleted, entry_merged, entry_removed, entry_unmerged
from discussions import services
from discussions.changes import record_account_changes, record_block_changes, record_entry_changes
from discussions.models import Thread


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, anonymize: bool, **kwargs: Any) -> None:
    """Anonymize or empty the posts of a deleted account."""
    record_account_changes(user)
    services.detach_user(user, anonymize=anonymize)


@receiver(club_deleted)
def delete_threads(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Delete the threads and posts of a club that is being deleted, which is locked."""
    Thread.objects.filter(club=club).delete_with_posts()


@receiver(account_event)
def record_block(sender: Any, *, event: AccountEvent, **kwargs: Any) -> None:
    """Record the changes that blocking or unblocking a user hides or shows."""
    if event.verb in ("user.blocked", "user.unblocked") and event.user and event.object_id:
        record_block_changes(event.user, event.object_id)


@receiver(entry_removed)
def record_removed_entry(sender: Any, *, entry: Entry, **kwargs: Any) -> None:
    """Record changes of the threads whose entry is being deleted."""
    record_entry_changes(entry)


@receiver(entry_merged)
def move_threads(sender: Any, *, merge: Merge, source: Entry, target: Entry, **kwargs: Any) -> None:
    """Move the threads about an entry to the one that stays."""
    threads = Thread.objects.filter(entry=source)
    record_entry_changes(source, target)
    merge.record_moved("thread", threads.values_list("pk", flat=True))
    threads.update(entry=target)


@receiver(entry_unmerged)
def move_threads_back(sender: Any, *, merge: Merge, target: Entry, restored: Entry, **kwargs: Any) -> None:
    """Move the threads back when the merge is undone."""
    record_entry_changes(target)
    merge.restore_moved("thread", Thread.objects.filter(entry=target), entry=restored)
