"""What discussions do on the signals of accounts and clubs."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from catalog.merging.models import Merge
from clubs.clubs.models import Club
from clubs.discussions import services
from clubs.discussions.models import Thread
from clubs.reading.models import Entry
from clubs.signals import club_deleted, entry_merged, entry_unmerged


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, anonymise: bool, **kwargs: Any) -> None:
    """Anonymize or empty the posts of a deleted account."""
    services.part_from(user, anonymise=anonymise)


@receiver(club_deleted)
def delete_threads(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Delete the threads of a club that is being deleted."""
    services.club_deleted(club)


@receiver(entry_merged)
def move_threads(sender: Any, *, merge: Merge, gone: Entry, kept: Entry, **kwargs: Any) -> None:
    """Move the threads about an entry to the one that stays."""
    threads = Thread.objects.filter(entry=gone)
    merge.note("thread", threads.values_list("pk", flat=True))
    threads.update(entry=kept)


@receiver(entry_unmerged)
def move_threads_back(sender: Any, *, merge: Merge, kept: Entry, again: Entry, **kwargs: Any) -> None:
    """Move them back."""
    merge.restore_moved("thread", Thread.objects.filter(entry=kept), entry=again)
