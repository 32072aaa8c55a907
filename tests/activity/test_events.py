"""Every write endpoint records its events, and none if it fails or is rolled back."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from accounts import tokens
from accounts.models import User
from activity.models import Event
from activity.verbs import VERBS
from catalog.models import Book
from clubs.models import Club, Entry, Invitation, Milestone
from discussions.models import Thread
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another long passphrase"


@dataclass
class World:
    """The objects that the calls below use."""

    users: dict[str, Any]
    club: Club
    book: Book
    unread: Book
    entry: Entry
    proposal: Entry
    milestone: Milestone
    invitation: Invitation
    code: str
    review: Review
    refresh: str
    thread: Thread


@pytest.fixture(scope="module")
def world(module_db) -> World:
    names = ("alice", "bob", "moe", "charlie", "asking", "banned")
    users = {name: User.objects.create_user(name, PASSWORD) for name in names}
    alice, bob = users["alice"], users["bob"]
    club = Club.create_club(by=alice, name="Night readers", join_policy="request")
    bring_in(club, users["moe"], role="moderator")
    bring_in(club, bob)
    bring_in(club, users["asking"], status="pending")
    bring_in(club, users["banned"], status="banned")
    book, second, unread = (
        Book.create_book(by=alice, title=t, authors=["Anonymous"]) for t in ("Emma", "Dune", "Ulysses")
    )
    entry = Entry.add_entry(club=club, book=book, by=alice)
    invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=9, max_uses=9)
    return World(
        users=users,
        club=club,
        book=book,
        unread=unread,
        entry=entry,
        proposal=Entry.add_entry(club=club, book=second, by=bob),
        milestone=Milestone.create_milestone(
            entry=entry, by=alice, title="First part", up_to_percent=10, due_on=datetime.date(2027, 1, 1)
        ),
        invitation=invitation,
        code=code,
        review=Review.create_review(book=book, by=bob, rating=8),
        refresh=tokens.sign_in(bob, device="telephone").refresh,
        thread=Thread.create_thread(club=club, by=bob, title="Whales", body="Who?"),
    )


@dataclass(frozen=True)
class Call:
    """A write request and the verbs of the events it records, in alphabetical order."""

    verbs: str
    user: str
    method: str
    route: str
    path: Callable[[World], dict[str, Any]] = lambda world: {}
    body: Callable[[World], Any] = lambda world: None
    note: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.verbs} {self.note}".strip()

    def send(self, client: Any, world: World) -> Any:
        return getattr(client, self.method)(reverse(self.route, kwargs=self.path(world)), self.body(world))


def club(world: World) -> dict[str, Any]:
    return {"club_id": world.club.pk}


def member(name: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"club_id": world.club.pk, "user_id": world.users[name].pk}


def entry(world: World) -> dict[str, Any]:
    return {"club_id": world.club.pk, "entry_id": world.entry.pk}


def milestone(world: World) -> dict[str, Any]:
    return entry(world) | {"milestone_id": world.milestone.pk}


def thread(world: World) -> dict[str, Any]:
    return club(world) | {"thread_id": world.thread.pk}


def post(world: World) -> dict[str, Any]:
    return club(world) | {"post_id": world.thread.posts.get().pk}


def review(world: World) -> dict[str, Any]:
    return {"review_id": world.review.pk}


def book(world: World) -> dict[str, Any]:
    return {"book_id": world.unread.pk}


def sends(**body: Any) -> Callable[[World], Any]:
    return lambda world: body


SIGN_UP = {"username": "dora", "password": NEW, "email": "dora@example.org"}
MILESTONE = {"title": "Second part", "up_to_percent": 20, "due_on": "2027-02-01"}
CALLS = [
    Call("account.created session.created", "nobody", "post", "register", body=sends(**SIGN_UP)),
    Call("session.created", "nobody", "post", "login", body=sends(username="bob", password=PASSWORD)),
    Call("session.ended", "nobody", "post", "logout", body=lambda w: {"refresh": w.refresh}),
    Call("sessions.ended", "bob", "delete", "session-list"),
    Call(
        "session.ended",
        "bob",
        "delete",
        "session-detail",
        lambda w: {"session_id": w.users["bob"].sessions.first().pk},
    ),
    Call(
        *("password.changed", "bob", "post", "password-change"),
        body=sends(current_password=PASSWORD, new_password=NEW),
    ),
    Call("profile.changed", "bob", "patch", "me", body=sends(bio="Reads at night")),
    Call("profile.changed", "bob", "patch", "me", body=sends(display_name="Robert"), note="name"),
    Call("", "bob", "patch", "me", body=sends(), note="nothing"),
    Call("book.added", "bob", "post", "book-list", body=sends(title="Persuasion", author="Jane Austen")),
    Call("book.changed", "alice", "patch", "book-detail", book, sends(title="Ulysses, again")),
    Call("", "alice", "patch", "book-detail", book, sends(title="Ulysses"), note="nothing"),
    Call("book.deleted", "alice", "delete", "book-detail", book),
    Call("club.created", "bob", "post", "club-list", body=sends(name="Another")),
    Call("club.changed", "alice", "patch", "club-detail", club, sends(name="Renamed")),
    Call("", "alice", "patch", "club-detail", club, sends(name="Night readers"), note="nothing"),
    Call("club.deleted", "alice", "delete", "club-detail", club),
    Call("member.asked", "charlie", "post", "club-join", club),
    Call("member.left", "bob", "post", "club-leave", club),
    Call("member.withdrew", "asking", "post", "club-leave", club),
    Call("club.transferred", "alice", "post", "club-transfer", club, lambda w: {"user": w.users["bob"].pk}),
    Call("member.accepted", "moe", "patch", "club-member-detail", member("asking"), sends(status="active")),
    Call("", "moe", "patch", "club-member-detail", member("bob"), sends(status="active"), note="is in"),
    Call("member.banned", "moe", "patch", "club-member-detail", member("bob"), sends(status="banned")),
    Call("", "moe", "patch", "club-member-detail", member("banned"), sends(status="banned"), note="is banned"),
    Call("member.role_changed", "alice", "patch", "club-member-detail", member("bob"), sends(role="moderator")),
    Call("", "alice", "patch", "club-member-detail", member("bob"), sends(role="member"), note="has it"),
    Call("member.removed", "moe", "delete", "club-member-detail", member("bob")),
    Call("member.refused", "moe", "delete", "club-member-detail", member("asking")),
    Call("member.unbanned", "moe", "delete", "club-member-detail", member("banned")),
    Call("invite.created", "moe", "post", "club-invite-list", club),
    Call(
        *("invite.revoked", "moe", "delete", "club-invite-detail"),
        lambda w: {"club_id": w.club.pk, "invitation_id": w.invitation.pk},
    ),
    Call("member.joined", "charlie", "post", "invite-accept", body=lambda w: {"code": w.code}),
    Call("book.listed", "bob", "post", "club-book-list", club, lambda w: {"book": w.unread.pk}),
    Call(
        *("book.listed", "moe", "post", "club-book-list", club),
        lambda w: {"book": w.unread.pk, "status": "planned"},
        note="planned",
    ),
    Call("book.planned", "moe", "patch", "club-book-detail", entry, sends(status="planned", position=2)),
    Call("book.moved", "moe", "patch", "club-book-detail", entry, sends(position=2)),
    Call("entry.changed", "moe", "patch", "club-book-detail", entry, sends(note="Soon")),
    Call("", "moe", "patch", "club-book-detail", entry, sends(status="proposed"), note="nothing"),
    Call("book.unlisted", "moe", "delete", "club-book-detail", entry),
    Call(
        *("book.unlisted", "bob", "delete", "club-book-detail"),
        lambda w: {"club_id": w.club.pk, "entry_id": w.proposal.pk},
        note="own",
    ),
    Call("milestone.created", "moe", "post", "club-book-milestone-list", entry, sends(**MILESTONE)),
    Call("milestone.changed", "moe", "patch", "club-book-milestone-detail", milestone, sends(title="Part one")),
    Call("milestone.deleted", "moe", "delete", "club-book-milestone-detail", milestone),
    Call("progress.set", "bob", "put", "club-book-progress", entry, sends(percent=5)),
    Call("progress.set", "bob", "put", "club-book-progress", entry, sends(percent=5, hidden=True), note="hidden"),
    Call("thread.created", "bob", "post", "club-thread-list", club, sends(title="Ships", body="And @moe")),
    Call("thread.changed", "moe", "patch", "club-thread-detail", thread, sends(pinned=True, closed=True)),
    Call("", "moe", "patch", "club-thread-detail", thread, sends(pinned=False), note="nothing"),
    Call("thread.deleted", "moe", "delete", "club-thread-detail", thread),
    Call("post.created", "moe", "post", "club-thread-post-list", thread, sends(body="Aye")),
    Call("post.changed", "bob", "patch", "club-post-detail", post, sends(body="Whose?")),
    Call("", "bob", "patch", "club-post-detail", post, sends(body="Who?"), note="nothing"),
    Call("post.deleted", "moe", "delete", "club-post-detail", post),
    Call("post.revealed", "moe", "put", "club-post-reveal", post),
    Call("post.reacted", "moe", "put", "club-post-reaction", lambda w: post(w) | {"emoji": "👍"}),
    Call("", "moe", "delete", "club-post-reaction", lambda w: post(w) | {"emoji": "👍"}, note="never reacted"),
    Call("review.posted", "alice", "post", "review-list", body=lambda w: {"book": w.book.pk, "rating": 3}),
    Call(
        *("review.posted", "alice", "post", "book-review-list", lambda w: {"book_id": w.book.pk}),
        sends(rating=3, visibility="private"),
    ),
    Call("review.changed", "bob", "patch", "review-detail", review, sends(rating=1)),
    Call("review.changed", "bob", "put", "review-detail", review, lambda w: {"book": w.book.pk, "rating": 2}),
    Call("", "bob", "patch", "review-detail", review, sends(rating=4), note="nothing"),
    Call("review.deleted", "bob", "delete", "review-detail", review),
    Call("review.liked", "alice", "put", "review-like", review),
    Call("", "alice", "delete", "review-like", review, note="never liked"),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_each_write_records_its_events(call, world, client_of):
    client = client_of(world.users.get(call.user))
    Event.objects.all().delete()
    with transaction.atomic():
        response = call.send(client, world)
        assert response.status_code < 300, response.content
        assert sorted(Event.objects.values_list("verb", flat=True)) == call.verbs.split()
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert set(call.verbs.split()) <= set(VERBS)


@pytest.mark.parametrize("call", [call for call in CALLS if call.verbs], ids=str)
def test_failed_write_records_no_event(call, world, client_of, monkeypatch):
    client = client_of(world.users.get(call.user))
    Event.objects.all().delete()
    written, save = [], Event.save

    def save_and_fail(event, **options):
        save(event, **options)
        written.append(event.verb)
        raise ZeroDivisionError

    monkeypatch.setattr(Event, "save", save_and_fail)
    assert call.send(client, world).status_code == 500
    assert written == call.verbs.split()[:1]
    assert not Event.objects.exists()


def test_token_reuse_is_recorded_although_rejected(world, anonymous, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    anonymous.post("/api/v1/auth/refresh/", {"refresh": world.refresh})
    assert anonymous.post("/api/v1/auth/refresh/", {"refresh": world.refresh}).json()["code"] == "token_reused"
    assert Event.objects.latest("id").verb == "session.reused"


@pytest.mark.parametrize("call", [call for call in CALLS if call.verbs and call.user != "nobody"], ids=str)
def test_event_actor_is_the_caller(call, world, client_of):
    user = world.users[call.user]
    client = client_of(user)
    Event.objects.all().delete()
    call.send(client, world)
    assert set(Event.objects.values_list("actor", flat=True)) == {user.pk}
