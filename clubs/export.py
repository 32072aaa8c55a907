"""Sections of a user's data export that come from clubs. Clubs the user may no longer see are exported by id only."""

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from accounts.export import Section, iter_rows
from accounts.models import User
from clubs.club.choices import Visibility
from clubs.club.models import Club
from clubs.members.models import Invitation, Membership
from clubs.members.models.pauses import NOT_PAUSED
from clubs.reading.models import ArchivedEntry, ArchivedProgress, Entry, EntryChange, Progress, SpoilerConsent
from clubs.roles import STATUSES_WITH_ACCESS


def if_visible(user: User, column: str, *, club: str = "club") -> Case:
    """Return `column` if `user` may see the content of the row's club, else null."""
    is_member = Exists(Membership.objects.active().filter(user=user, club=OuterRef(club)))
    public = Q(**{f"{club}__visibility": Visibility.PUBLIC})
    return Case(When(public | Q(is_member), then=F(column)), default=Value(None))


def memberships(user: User) -> Section:
    """Return all memberships, including join requests, bans and former ones."""
    club_name = Case(When(status__in=STATUSES_WITH_ACCESS, then=F("club__name")), default=Value(None))
    columns = ("club", "role", "status", "joined_at", "message", "updated_at", "last_active_at", *NOT_PAUSED)
    return iter_rows(Membership.objects.filter(user=user), *columns, club_name=club_name)


def proposals(user: User) -> Section:
    """Return the reading list entries the user added."""
    entries = Entry.objects.filter(added_by=user)
    visible = {"state": if_visible(user, "status"), "words": if_visible(user, "note")}
    return iter_rows(entries, "club", "book", "created_at", book_title="book__title", **visible)


PROGRESS_FIELDS = ("entry", "percent", "unit", "amount", "total", "hidden", "stopped", "finished_on", "updated_at")
ARCHIVED_FIELDS = ("entry_id", *PROGRESS_FIELDS[1:])
INVITATION_FIELDS = ("club", "created_at", "expires_at", "max_uses", "uses", "revoked_at")
EXPORT_SECTIONS = {
    "clubs_owned": lambda user: iter_rows(Club.objects.filter(owner=user), "name", "description", "created_at"),
    "memberships": memberships,
    "invitations": lambda user: iter_rows(Invitation.objects.filter(created_by=user), *INVITATION_FIELDS),
    "list_proposals": proposals,
    "list_changes": lambda user: iter_rows(
        EntryChange.objects.filter(actor=user), "club", "book", "field", "new", at="created_at"
    ),
    "progress": lambda user: iter_rows(
        Progress.objects.filter(user=user), *PROGRESS_FIELDS, club="entry__club", book_title="entry__book__title"
    ),
    "spoiler_consents": lambda user: iter_rows(
        SpoilerConsent.objects.filter(user=user), "entry", "created_at", club="entry__club"
    ),
    "list_proposals_set_aside": lambda user: iter_rows(
        ArchivedEntry.objects.filter(added_by=user), "club", "entry_id", "created_at", book="merge__source"
    ),
    "progress_set_aside": lambda user: iter_rows(
        ArchivedProgress.objects.filter(user=user), *ARCHIVED_FIELDS, club="archived_entry__club"
    ),
}
