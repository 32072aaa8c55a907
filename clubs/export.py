"""Sections of a user's data export that come from clubs. Clubs the user may no longer see are exported by id only."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from accounts.export import BATCH, Section, rows
from accounts.models import User
from clubs.ballots.models import Ballot, Vote
from clubs.clubs.models import Club, Visibility
from clubs.discussions.models import Thread
from clubs.discussions.posts import Post
from clubs.discussions.reactions import Reaction, Reveal
from clubs.meetings.answers import Attendance, Rsvp
from clubs.meetings.models import Meeting
from clubs.meetings.tokens import CalendarToken
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


def posts(user: User) -> Section:
    """Return the user's posts, without the posts they reply to."""
    columns = ("club", "thread", "body", "reply_to", "spoiler_percent", "created_at", "edited_at", "hidden_at")
    return rows(Post.objects.filter(author=user), *columns)


def votes(user: User) -> Iterator[dict[str, Any]]:
    """Return the user's votes as entry ids in order of preference."""
    found, last = Vote.objects.filter(user=user).select_related("ballot").order_by("pk"), 0
    while page := list(found.filter(pk__gt=last).prefetch_related("ballot__candidates")[:BATCH]):
        last = page[-1].pk
        for vote in page:
            lines = {line.place: line.entry_id for line in vote.ballot.candidates.all()}
            entries = [lines[place] for place in vote.places if place in lines]
            yield {"id": vote.pk, "ballot": vote.ballot_id, "club": vote.ballot.club_id, "entries": entries}


def _own(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    return rows.filter(user=user)


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
        _own(Progress.objects.all(), user), *MARK, club="entry__club", book_title="entry__book__title"
    ),
    "list_proposals_set_aside": lambda user: rows(
        EntryAside.objects.filter(added_by=user), "club", "entry_id", "created_at", book="merge__gone"
    ),
    "progress_set_aside": lambda user: rows(MarkAside.objects.filter(user=user), *ASIDE, club="of__club"),
    "meetings_called": lambda user: rows(Meeting.objects.filter(created_by=user), "club", "created_at"),
    "rsvps": lambda user: rows(
        _own(Rsvp.objects.all(), user), "meeting", "answer", "answered_at", club="meeting__club"
    ),
    "attendance": lambda user: rows(_own(Attendance.objects.all(), user), "meeting", club="meeting__club"),
    "calendar_token": lambda user: rows(_own(CalendarToken.objects.all(), user), "created_at"),
    "ballots_opened": lambda user: rows(Ballot.objects.filter(created_by=user), "club", "created_at"),
    "votes": votes,
    "threads": lambda user: rows(Thread.objects.filter(author=user), "club", "entry", "title", "created_at"),
    "posts": posts,
    "reactions": lambda user: rows(_own(Reaction.objects.all(), user), "post", "emoji", "created_at"),
    "reveals": lambda user: rows(_own(Reveal.objects.all(), user), "post", "created_at"),
}
