"""Receivers of clubs."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_deleted, account_invited
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of, record_notification_changes
from activity.models import Notification
from clubs.club.models import Club
from clubs.club.services import remove_from_all_clubs
from clubs.members.models import Invitation, Membership
from clubs.reading.models import Entry
from clubs.reading.services import delete_club_entries, handle_visibility_changed
from clubs.signals import club_deleted, club_visibility_changed


@receiver(account_invited)
def accept_invitation(sender: Any, *, user: User, code: str, **kwargs: Any) -> dict[str, Any]:
    """Make a new user a member of the club that invited them."""
    return Invitation.objects.accept(code, user=user).club.summary


@receiver(account_deleted)
def remove_from_clubs(sender: Any, *, user: User, **kwargs: Any) -> None:
    """End the memberships of a deleted account, and delete its progress."""
    record_changes_of(changes_of(Entry.objects.filter(added_by=user), ChangeType.ENTRY))
    remove_from_all_clubs(user)


@receiver(club_visibility_changed)
def update_book_counters(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Add or subtract the books of a club whose visibility changed."""
    handle_visibility_changed(club)
    members = Membership.objects.active().filter(club=club).values("user")
    record_notification_changes(Notification.objects.filter(club=club).exclude(user__in=members))


@receiver(club_deleted)
def delete_reading_list(sender: Any, *, club: Club, **kwargs: Any) -> None:
    """Delete the reading list of a club and subtract it from the counters of books."""
    delete_club_entries(club)
