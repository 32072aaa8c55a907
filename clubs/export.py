"""Sections of a user's data export that come from clubs. Clubs the user may no longer see are exported by id only."""

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from accounts.export import Section, rows
from accounts.models import User
from clubs.clubs.models import Club, Visibility
from clubs.members.invitations import Invitation
from clubs.members.models import Membership
from clubs.reading.aside import EntryAside, MarkAside
from clubs.reading.history import EntryChange
from clubs.reading.models import Entry, Progress
from clubs.roles import KNOWN_TO


def where_inside(user: User, column: str, *, club: str = "club") -> Case:
    """Return `column` if `user` may see the content of the row's club, else null."""
    inside = Exists(Membership.objects.active().filter(user=user, club=OuterRef(club)))
    public = Q(**{f"{club}__visibility": Visibility.PUBLIC})
    return Case(When(public | Q(inside), then=F(column)), default=Value(None))


def memberships(user: User) -> Section:
    """Return all memberships, including join requests, bans and former ones."""
    known = Case(When(status__in=KNOWN_TO, then=F("club__name")), default=Value(None))
    columns = ("club", "role", "status", "joined_at", "message", "updated_at", "last_active_at")
    return rows(Membership.objects.filter(user=user), *columns, club_name=known)


def proposals(user: User) -> Section:
    """Return the reading list entries the user added."""
    found = Entry.objects.filter(added_by=user)
    shown = {"state": where_inside(user, "status"), "words": where_inside(user, "note")}
    return rows(found, "club", "book", "created_at", book_title="book__title", **shown)


MARK = ("entry", "percent", "unit", "amount", "total", "hidden", "updated_at")
ASIDE = ("entry_id", *MARK[1:])
INVITATION = ("club", "created_at", "expires_at", "max_uses", "uses", "revoked_at")
SECTIONS = {
    "clubs_owned": lambda user: rows(Club.objects.filter(owner=user), "name", "description", "created_at"),
    "memberships": memberships,
    "invitations": lambda user: rows(Invitation.objects.filter(created_by=user), *INVITATION),
    "list_proposals": proposals,
    "list_changes": lambda user: rows(EntryChange.objects.filter(actor=user), "club", "book", "at", "field", "new"),
    "progress": lambda user: rows(
        Progress.objects.filter(user=user), *MARK, club="entry__club", book_title="entry__book__title"
    ),
    "list_proposals_set_aside": lambda user: rows(
        EntryAside.objects.filter(added_by=user), "club", "entry_id", "created_at", book="merge__gone"
    ),
    "progress_set_aside": lambda user: rows(MarkAside.objects.filter(user=user), *ASIDE, club="of__club"),
}
