"""Five people who do random things in clubs, and apps that only read `users/me/changes/` and single objects."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from random import Random
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.blocks import Block
from accounts.models import User
from activity.models import Notification
from ballots.models import Ballot
from catalog.models import Book
from clubs.models import Club, Entry, Membership
from clubs.reading.models import Milestone
from core.tasks.worker import run_pending
from discussions.models import Post, Thread
from meetings.date_polls.models import DatePoll
from meetings.models import Meeting
from tests.clubs.changes import read_all
from tests.clubs.helpers import ACCEPT, CLUBS

# What changes without being a change of the object.
COUNTERS = {
    "club": ("members_count", "current_entry", "next_meeting"),
    "entry": ("members_finished", "club_average_rating", "times_considered"),
    "meeting": ("counts",),
    "date_poll": ("options", "answered_count"),
    "ballot": ("voters_count",),
    "thread": ("posts_count", "last_post_at"),
    "post": ("reactions",),
}
# How often an operation is chosen; 4 for others.
WEIGHTS = {
    **dict.fromkeys(("do_delete_club", "do_leave", "do_remove_member", "do_change_member", "do_transfer"), 1),
    **dict.fromkeys(("do_delete_entry", "do_end_ballot", "do_block", "do_change_club"), 2),
    **dict.fromkeys(("do_create_post", "do_add_entry", "do_rsvp", "do_join", "do_accept_invitation", "do_vote"), 10),
    **dict.fromkeys(("do_create_meeting", "do_create_ballot", "do_create_milestone", "do_look_at_post"), 8),
    **dict.fromkeys(("do_create_date_poll", "do_answer_date_poll"), 8),
}
State = dict[tuple[str, int], dict[str, Any]]


def without_counters(type: str, body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in COUNTERS.get(type, ())}


def client_of(user: User) -> APIClient:
    """Return a client without a token, which would expire during a long walk."""
    client = APIClient()
    client.force_authenticate(user)
    return client


class App:
    """An app that keeps what it has read."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = client_of(user)
        self.cursor: str | None = None
        self.objects: State = {}
        self.clubs: dict[tuple[str, int], int | None] = {}

    def sync(self, **query: Any) -> None:
        rows, self.cursor = read_all(self.client, self.cursor, **query)
        for row in rows:
            self.take(row)

    def take(self, row: dict[str, Any]) -> None:
        key = (row["type"], row["id"])
        if row["deleted"]:
            gone = [key] if row["type"] != "club" else [k for k, club in self.clubs.items() if club == row["id"]]
            for gone_key in gone:
                self.objects.pop(gone_key, None)
                self.clubs.pop(gone_key, None)
            return
        response = self.client.get(row["url"])
        # It may have been deleted since; then its tombstone follows.
        if response.status_code == 200:
            self.objects[key] = without_counters(row["type"], response.json())
            self.clubs[key] = row["club"]


def listed(client: APIClient, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    url = f"{url}?page_size=100"
    while url:
        page = client.get(url)
        assert page.status_code == 200, (url, page.content)
        found += page.json()["results"]
        url = page.json()["next"]
    return found


def server_state(client: APIClient, user: User) -> State:
    """Return what the lists show to the user."""
    state: State = {}

    def add(type: str, url: str) -> list[dict[str, Any]]:
        rows = listed(client, url)
        state.update({(type, row["id"]): without_counters(type, row) for row in rows})
        return rows

    for club in Membership.objects.active().filter(user=user).values_list("club", flat=True):
        base = f"{CLUBS}{club}/"
        state["club", club] = without_counters("club", client.get(base).json())
        for entry in add("entry", f"{base}books/"):
            add("milestone", f"{base}books/{entry['id']}/milestones/")
        for name in ("meetings", "ballots", "threads", "date-polls"):
            rows = add(name.removesuffix("s").replace("-", "_"), f"{base}{name}/")
            for row in rows if name == "threads" else ():
                add("post", f"{base}threads/{row['id']}/posts/")
    add("notification", "/api/v1/users/me/notifications/")
    return state


class Walk:
    """Random operations over HTTP. Which of them are refused does not matter."""

    def __init__(self, users: list[User], seed: int) -> None:
        self.random = Random(seed)
        self.users = users
        self.clients = {user.pk: client_of(user) for user in users}
        self.books = [Book.create_book(by=None, title=f"Title {n}", authors=["A"]) for n in range(8)]
        self.done: dict[str, int] = {}
        self.operations = [name for name in dir(self) if name.startswith("do_")]
        self.weights = [WEIGHTS.get(name, 4) for name in self.operations]

    def step(self) -> None:
        """Do something as one of the users, in a club of theirs if there is one."""
        name = self.random.choices(self.operations, self.weights)[0]
        operation: Callable[..., Any] = getattr(self, name)
        user = self.random.choice(self.users)
        club = self.pick(Club.objects.filter(memberships__user=user, memberships__status="active"))
        if club is not None and self.random.random() < 0.4:
            user = club.owner
        response = operation(self.clients[user.pk], user, club)
        if getattr(response, "status_code", 0) and response.status_code < 300:
            self.done[name] = self.done.get(name, 0) + 1
        elif response is not None:
            assert response.status_code < 500, response.content

    def pick(self, rows: Any) -> Any:
        rows = list(rows.order_by("pk"))
        return self.random.choice(rows) if rows else None

    def word(self) -> str:
        return f"w{self.random.randrange(10**6)}"

    def day(self) -> str:
        return f"{datetime.date(2027, 1, 1) + datetime.timedelta(self.random.randrange(300))}"

    def child(self, club: Any, rows: Any, path: str) -> str | None:
        row = club and self.pick(rows.filter(club=club))
        return row and f"{CLUBS}{club.pk}/{path}/{row.pk}/"

    # Clubs and members

    def do_create_club(self, client: Any, user: User, club: Any) -> Any:
        if Club.objects.count() >= 4:
            return None
        return client.post(CLUBS, {"name": self.word(), "visibility": self.random.choice(["public", "private"])})

    def do_join(self, client: Any, user: User, club: Any) -> Any:
        other = self.pick(Club.objects.all())
        return other and client.post(f"{CLUBS}{other.pk}/join/")

    def do_accept_invitation(self, client: Any, user: User, club: Any) -> Any:
        other = self.pick(Club.objects.all())
        if other is None:
            return None
        code = self.clients[other.owner_id].post(f"{CLUBS}{other.pk}/invites/", {}).json().get("code")
        return client.post(ACCEPT, {"code": code})

    def do_leave(self, client: Any, user: User, club: Any) -> Any:
        return club and client.post(f"{CLUBS}{club.pk}/leave/")

    def do_change_member(self, client: Any, user: User, club: Any) -> Any:
        member = club and self.pick(club.memberships.all())
        body = self.random.choice(
            [{"role": "moderator"}, {"role": "member"}, {"status": "active"}, {"status": "banned"}]
        )
        return member and client.patch(f"{CLUBS}{club.pk}/members/{member.user_id}/", body)

    def do_remove_member(self, client: Any, user: User, club: Any) -> Any:
        member = club and self.pick(club.memberships.all())
        return member and client.delete(f"{CLUBS}{club.pk}/members/{member.user_id}/")

    def do_pause(self, client: Any, user: User, club: Any) -> Any:
        if club and self.random.random() < 0.4:
            return client.delete(f"{CLUBS}{club.pk}/pause/")
        return club and client.put(f"{CLUBS}{club.pk}/pause/", {"until": None})

    def do_change_members(self, client: Any, user: User, club: Any) -> Any:
        action = self.random.choice(["approve", "refuse", "pause", "pause", "pause", "remove"])
        users = [user.pk for user in self.random.sample(self.users, 2)]
        return club and client.post(f"{CLUBS}{club.pk}/members/bulk/", {"action": action, "users": users})

    def do_transfer(self, client: Any, user: User, club: Any) -> Any:
        member = club and self.pick(club.memberships.all())
        return member and client.post(f"{CLUBS}{club.pk}/transfer/", {"user": member.user_id})

    def do_change_club(self, client: Any, user: User, club: Any) -> Any:
        body = self.random.choice(
            [
                {"description": self.word()},
                {"visibility": "private"},
                {"visibility": "public"},
                {"join_policy": "request"},
            ]
        )
        return club and client.patch(f"{CLUBS}{club.pk}/", body)

    def do_delete_club(self, client: Any, user: User, club: Any) -> Any:
        return client.delete(f"{CLUBS}{club.pk}/") if club and self.random.random() < 0.2 else None

    def do_block(self, client: Any, user: User, club: Any) -> Any:
        other = self.random.choice(self.users)
        method = client.delete if Block.objects.filter(blocker=user).exists() else client.put
        return method(f"/api/v1/users/{other.username}/block/")

    # Reading

    def do_add_entry(self, client: Any, user: User, club: Any) -> Any:
        status = self.random.choice(["proposed", "planned", "reading"])
        body = {"book": self.random.choice(self.books).pk, "status": status}
        return club and client.post(f"{CLUBS}{club.pk}/books/", body)

    def do_change_entry(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Entry.objects, "books")
        status = self.random.choice(["proposed", "planned", "reading", "finished"])
        body = self.random.choice([{"status": status}, {"position": self.random.randint(1, 4)}, {"note": self.word()}])
        return url and client.patch(url, body)

    def do_delete_entry(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Entry.objects, "books")
        return url and client.delete(url)

    def do_set_progress(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Entry.objects, "books")
        return url and client.put(f"{url}progress/", {"percent": self.random.randrange(0, 101, 20)})

    def do_create_milestone(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Entry.objects, "books")
        body = {"title": self.word(), "up_to_percent": 50, "due_on": self.day()}
        return url and client.post(f"{url}milestones/", body)

    def do_change_milestone(self, client: Any, user: User, club: Any) -> Any:
        row = club and self.pick(Milestone.objects.filter(entry__club=club))
        url = row and f"{CLUBS}{club.pk}/books/{row.entry_id}/milestones/{row.pk}/"
        if url and self.random.random() < 0.3:
            return client.delete(url)
        return url and client.patch(url, {"due_on": self.day()})

    def do_shift(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Entry.objects, "books")
        body = {"days": self.random.choice([-7, 7]), "from": self.day(), "meetings": self.random.random() < 0.7}
        return url and client.post(f"{url}shift/", body)

    # Meetings and ballots

    def do_create_meeting(self, client: Any, user: User, club: Any) -> Any:
        body: dict[str, Any] = {"title": self.word(), "starts_at": f"{self.day()}T19:00:00Z", "capacity": 1}
        entry = club and self.pick(club.entries.all())
        if entry:
            body["entry"] = entry.pk
        if self.random.random() < 0.3:
            body |= {"repeats": {"every": "weekly", "count": 3}, "capacity": None}
        return club and client.post(f"{CLUBS}{club.pk}/meetings/", body)

    def do_change_meeting(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Meeting.objects.not_deleted(), "meetings")
        scope = self.random.choice(["", "?scope=following"])
        if url and self.random.random() < 0.3:
            return client.delete(url + scope)
        body = self.random.choice([{"place": self.word()}, {"capacity": 3}, {"status": "cancelled"}])
        return url and client.patch(url + scope, body)

    def do_rsvp(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Meeting.objects.not_deleted(), "meetings")
        return url and client.put(f"{url}rsvp/", {"answer": self.random.choice(["yes", "yes", "no", "maybe"])})

    def do_note_attendance(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Meeting.objects.not_deleted(), "meetings")
        return url and client.put(f"{url}attendance/", {"attended": [user.pk]})

    def do_create_date_poll(self, client: Any, user: User, club: Any) -> Any:
        days = [timezone.now() + datetime.timedelta(days=days) for days in self.random.sample(range(5, 30), 3)]
        closes_at = timezone.now() + datetime.timedelta(days=4)
        body = {
            "title": self.word(),
            "options": days,
            "closes_at": closes_at,
            "capacity": self.random.choice([1, None]),
        }
        return club and client.post(f"{CLUBS}{club.pk}/date-polls/", body)

    def do_answer_date_poll(self, client: Any, user: User, club: Any) -> Any:
        poll = club and self.pick(DatePoll.objects.filter(club=club))
        url = poll and f"{CLUBS}{club.pk}/date-polls/{poll.pk}/answer/"
        if url and self.random.random() < 0.2:
            return client.delete(url)
        options = [option.pk for option in poll.options.order_by("pk")] if poll else []
        return url and client.put(url, {"yes": options[:1], "maybe": options[1 : self.random.randint(1, 3)]})

    def do_end_date_poll(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, DatePoll.objects, "date-polls")
        if url and self.random.random() < 0.3:
            return client.delete(url)
        return url and client.post(f"{url}close/")

    def do_create_ballot(self, client: Any, user: User, club: Any) -> Any:
        candidates = list(club.entries.filter(status="proposed").values_list("pk", flat=True)[:3]) if club else []
        closes_at = timezone.now() + datetime.timedelta(days=7)
        body = {"title": self.word(), "method": "approval", "candidates": candidates, "closes_at": closes_at}
        return client.post(f"{CLUBS}{club.pk}/ballots/", body) if len(candidates) > 1 else None

    def do_vote(self, client: Any, user: User, club: Any) -> Any:
        ballot = club and self.pick(Ballot.objects.filter(club=club))
        url = ballot and f"{CLUBS}{club.pk}/ballots/{ballot.pk}/vote/"
        if url and self.random.random() < 0.3:
            return client.delete(url)
        return url and client.put(url, {"approved": [ballot.candidates.first().entry_id]})

    def do_end_ballot(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Ballot.objects, "ballots")
        if url and self.random.random() < 0.5:
            return client.delete(url)
        return url and client.post(f"{url}close/")

    # Discussions

    def do_create_thread(self, client: Any, user: User, club: Any) -> Any:
        body: dict[str, Any] = {"title": self.word(), "body": self.word()}
        entry = club and self.pick(club.entries.all())
        if entry and self.random.random() < 0.7:
            body |= {"entry": entry.pk, "spoiler_percent": self.random.randrange(0, 101, 20)}
        return club and client.post(f"{CLUBS}{club.pk}/threads/", body)

    def do_announce(self, client: Any, user: User, club: Any) -> Any:
        body = {"title": self.word(), "body": self.word(), "announce": True}
        return club and client.post(f"{CLUBS}{club.pk}/threads/", body)

    def do_change_thread(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Thread.objects, "threads")
        if url and self.random.random() < 0.2:
            return client.delete(url)
        body = self.random.choice([{"title": self.word()}, {"pinned": True}, {"closed": True}, {"closed": False}])
        return url and client.patch(url, body)

    def do_create_post(self, client: Any, user: User, club: Any) -> Any:
        thread = club and self.pick(club.threads.all())
        if not thread:
            return None
        body: dict[str, Any] = {"body": self.word()}
        if thread.entry_id:
            body["spoiler_percent"] = self.random.randrange(0, 101, 20)
        other = self.pick(thread.posts.all())
        if other and self.random.random() < 0.5:
            body["reply_to"] = other.pk
        return client.post(f"{CLUBS}{club.pk}/threads/{thread.pk}/posts/", body)

    def do_change_post(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Post.objects, "posts")
        if url and self.random.random() < 0.3:
            return client.delete(url)
        body = self.random.choice([{"body": self.word()}, {"spoiler_percent": 80}, {"spoiler_percent": 20}])
        return url and client.patch(url, body)

    def do_look_at_post(self, client: Any, user: User, club: Any) -> Any:
        url = self.child(club, Post.objects, "posts")
        rest = self.random.choice(["reveal/", "reactions/👍/", "reactions/👍/"])
        method = client.delete if "👍" in rest and self.random.random() < 0.4 else client.put
        return url and method(url + rest)

    def do_moderate_post(self, client: Any, user: User, club: Any) -> Any:
        post = self.pick(Post.objects.filter(deleted_at=None).select_related("thread__club"))
        if post is not None:
            post.thread.club = Club.objects.get(pk=post.club_id)
            (post.restore if post.hidden_at else post.hide)()

    # Notifications

    def do_run_tasks(self, client: Any, user: User, club: Any) -> Any:
        run_pending()

    def do_read_notifications(self, client: Any, user: User, club: Any) -> Any:
        row = self.pick(Notification.objects.filter(user=user, in_app=True))
        body = {"ids": [row.pk]} if row and self.random.random() < 0.7 else {"all": True}
        return client.post("/api/v1/users/me/notifications/read/", body)
