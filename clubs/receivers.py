"""What clubs do on the signals of accounts and on their own: reading lists follow their club."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted
from clubs.club.models import Club
from clubs.club.services import remove_from_all_clubs
from clubs.reading import services as lists
from clubs.signals import club_deleted, club_visibility_changed


@receiver(account_deleted)
def detach_account(sender: Any, *, user: User, **kwargs: Any) -> None:
    """End the memberships of a deleted account, and delete its progress."""
    remove_from_all_clubs(user)


@receiver(club_visibility_changed)
def count_or_uncount_list(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Count the books of a club that has become public, stop counting those of one that has become private."""
    lists.handle_visibility_changed(club)


@receiver(club_deleted)
def delete_list(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Delete the reading list of a club that is being deleted."""
    lists.delete_club_entries(club)
