"""Pauses of memberships: who sets and ends them, what ends them, and what they leave out."""

import datetime
import json
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from activity.changes.models import Change
from activity.choices import NotificationKind
from activity.models import Event, Notification
from ballots.models import Ballot
from catalog.models import Book
from clubs.models import Club, Entry, Membership
from clubs.notifications import notify_members
from core.tasks.worker import run_pending
from discussions.models import Thread
from meetings.models import Meeting
from tests.ballots.helpers import poll
from tests.ballots.helpers import url as ballot_url
from tests.clubs.helpers import CLUBS, bad_fields, bad_parameters, bring_in, problem
from tests.discussions.helpers import threads
from tests.meetings.helpers import url as meeting_url

pytestmark = pytest.mark.django_db
NOT_PAUSED = {"since": None, "until": None}


@pytest.fixture
def pause(club: Club) -> str:
    return f"{CLUBS}{club.pk}/pause/"


@pytest.fixture
def bobs_pause(club: Club, bob: User) -> str:
    return f"{CLUBS}{club.pk}/members/{bob.pk}/pause/"


@pytest.fixture
def entries(club: Club, alice: User) -> list[Entry]:
    books = [Book.create_book(by=None, title=f"Book {n}", authors=["A"]) for n in range(2)]
    return [Entry.add_entry(club=club, book=book, by=alice) for book in books]


def in_days(club: Club, days: int) -> str:
    return (club.today + datetime.timedelta(days)).isoformat()


def member_rows(client: APIClient, club: Club, **query: Any) -> dict[str, dict[str, Any]]:
    response = client.get(f"{CLUBS}{club.pk}/members/", query)
    assert response.status_code == 200, response.content
    return {row["user"]["username"]: row for row in response.json()["results"]}


def test_member_pauses_and_resumes(as_bob: APIClient, bob: User, club: Club, pause: str) -> None:
    assert as_bob.get(pause).json() == NOT_PAUSED
    until = in_days(club, 30)
    response = as_bob.put(pause, {"until": until})
    assert response.status_code == 200, response.content
    assert response.json() == {"since": response.json()["since"], "until": until}
    assert response.json()["since"].endswith("Z")
    assert as_bob.get(pause).json() == response.json()
    assert as_bob.get(pause)["ETag"] == response["ETag"]
    # A pause that is changed keeps its beginning.
    assert as_bob.put(pause, {}).json() == {"since": response.json()["since"], "until": None}
    for _time in range(2):
        assert as_bob.delete(pause).status_code == 204
    assert as_bob.get(pause).json() == NOT_PAUSED
    verbs = list(Event.objects.filter(actor=bob, verb__startswith="member.").order_by("pk").values_list("verb", "club"))
    assert verbs == [("member.paused", None), ("member.paused", None), ("member.resumed", None)]
    assert not Notification.objects.filter(kind="paused").exists()


def test_until_is_today_or_up_to_a_year_ahead(as_bob: APIClient, club: Club, pause: str) -> None:
    today = club.today
    a_year_ahead = today.replace(year=today.year + 1)
    for until in (today, a_year_ahead):
        assert as_bob.put(pause, {"until": until.isoformat()}).json()["until"] == until.isoformat()
    day = datetime.timedelta(1)
    assert bad_fields(as_bob.put(pause, {"until": (today - day).isoformat()})) == {"until": "past"}
    assert bad_fields(as_bob.put(pause, {"until": (a_year_ahead + day).isoformat()})) == {"until": "too_far"}
    assert bad_fields(as_bob.put(pause, {"until": "soon"})) == {"until": "invalid"}
    assert as_bob.get(pause).json()["until"] == a_year_ahead.isoformat()


def test_pause_ends_after_its_last_day_in_the_clubs_zone(bob: User, moe: User, club: Club, client_of: Any) -> None:
    Club.objects.filter(pk=club.pk).update(timezone="America/Sao_Paulo")
    pause = f"{CLUBS}{club.pk}/pause/"
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False):
        client_of(bob).put(pause, {"until": "2026-11-30"})
    with time_machine.travel("2026-12-01T02:59:00Z", tick=False):
        assert client_of(bob).get(pause).json()["until"] == "2026-11-30"
        assert member_rows(client_of(moe), club)["bob"]["paused_until"] == "2026-11-30"
    with time_machine.travel("2026-12-01T03:01:00Z", tick=False):
        assert client_of(bob).get(pause).json() == NOT_PAUSED
        assert not member_rows(client_of(moe), club)["bob"]["paused"]
        assert client_of(bob).delete(pause).status_code == 204
    assert not Event.objects.filter(verb="member.resumed").exists()


def test_conditional_writes(as_bob: APIClient, club: Club, pause: str) -> None:
    tag = as_bob.get(pause)["ETag"]
    assert as_bob.put(pause, {"until": in_days(club, 3)}, HTTP_IF_MATCH=tag).status_code == 200
    problem(as_bob.put(pause, {"until": in_days(club, 4)}, HTTP_IF_MATCH=tag), 412, "precondition_failed")
    problem(as_bob.delete(pause, HTTP_IF_MATCH=tag), 412, "precondition_failed")
    assert as_bob.delete(pause, HTTP_IF_MATCH=as_bob.get(pause)["ETag"]).status_code == 204


def test_moderator_pauses_a_member_who_is_told(
    as_moe: APIClient, as_bob: APIClient, moe: User, bob: User, club: Club, pause: str, bobs_pause: str
) -> None:
    until = in_days(club, 30)
    for _time in range(2):
        assert as_moe.put(bobs_pause, {"until": until}).json()["until"] == until
    assert as_bob.get(pause).json()["until"] == until
    [told] = Notification.objects.filter(kind="paused")
    assert (told.user_id, told.actor_id, told.club_id) == (bob.pk, moe.pk, club.pk)
    text = as_bob.get("/api/v1/users/me/notifications/").json()["results"][0]["text"]
    assert text.startswith(f"A moderator has paused your membership in {club.name} until ")
    assert as_bob.delete(pause).status_code == 204
    assert as_bob.get(pause).json() == NOT_PAUSED
    assert list(Event.objects.filter(verb="member.paused").values_list("actor", "subject")) == [(moe.pk, bob.pk)]


def test_moderator_ends_the_pause_of_a_member(
    as_bob: APIClient, as_moe: APIClient, pause: str, bobs_pause: str
) -> None:
    as_bob.put(pause, {})
    for _time in range(2):
        assert as_moe.delete(bobs_pause).status_code == 204
    assert as_bob.get(pause).json() == NOT_PAUSED


def test_only_members_of_a_lower_role_can_be_paused(
    as_moe: APIClient, as_alice: APIClient, club: Club, alice: User, moe: User, charlie: User, make_user: Any
) -> None:
    def url(user: User) -> str:
        return f"{CLUBS}{club.pk}/members/{user.pk}/pause/"

    problem(as_moe.put(url(alice), {}), 403, "not_above")
    problem(as_moe.delete(url(alice)), 403, "not_above")
    assert as_alice.put(url(moe), {}).status_code == 200
    bring_in(club, charlie, status="pending")
    former = make_user("former")
    bring_in(club, former, status="left")
    for user in (charlie, former, make_user("stranger")):
        problem(as_moe.put(url(user), {}), 404, "not_found")


def test_list_shows_pauses_to_members_and_details_to_moderators(
    as_bob: APIClient, as_moe: APIClient, club: Club, pause: str
) -> None:
    until = in_days(club, 3)
    as_bob.put(pause, {"until": until})
    Membership.objects.filter(club=club, user__username="bob").update(last_active_at="2026-11-01T10:00:00Z")
    shown, own = member_rows(as_moe, club)["bob"], member_rows(as_bob, club)["bob"]
    details = {"paused_until": until, "last_active_at": "2026-11-01T10:00:00Z"}
    assert shown == own | {"paused": True} | details
    assert own == shown | {"paused_until": None, "last_active_at": None}
    assert not member_rows(as_moe, club)["moe"]["paused"]


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("activity", ["answer", "mark", "hidden mark", "vote", "post"])
def test_activity_ends_only_the_pause_of_a_moderator(
    as_bob: APIClient,
    as_moe: APIClient,
    alice: User,
    bob: User,
    club: Club,
    entries: list[Entry],
    pause: str,
    bobs_pause: str,
    activity: str,
    own: bool,
) -> None:
    meeting = Meeting.create_meeting(
        club=club, by=alice, title="Tea", starts_at=timezone.now() + datetime.timedelta(days=9)
    )
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B")
    ballot = poll(club, entries, method="approval")
    progress = f"{CLUBS}{club.pk}/books/{entries[0].pk}/progress/"
    if own:
        as_bob.put(pause, {})
    else:
        as_moe.put(bobs_pause, {})
    calls = {
        "answer": lambda: as_bob.put(meeting_url(meeting, "rsvp/"), {"answer": "no"}),
        "mark": lambda: as_bob.put(progress, {"percent": 3}),
        "hidden mark": lambda: as_bob.put(progress, {"percent": 3, "hidden": True}),
        "vote": lambda: as_bob.put(ballot_url(club, ballot, "vote/"), {"approved": [entries[0].pk]}),
        "post": lambda: as_bob.post(threads(club, thread, "posts/"), {"body": "Me"}),
    }
    assert calls[activity]().status_code < 300
    assert bool(as_bob.get(pause).json()["since"]) is own
    # Only in the own log, because votes are secret.
    resumed = list(Event.objects.filter(verb="member.resumed").values_list("actor", "club"))
    assert resumed == ([] if own else [(bob.pk, None)])


def test_paused_members_are_not_in_the_quorum_unless_they_vote(
    as_alice: APIClient, as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry], pause: str
) -> None:
    ballots = [poll(club, entries, method="approval", quorum_percent=50) for _n in range(2)]
    as_bob.put(pause, {})
    as_moe.put(pause, {})
    as_alice.put(ballot_url(club, ballots[0], "vote/"), {"approved": [entries[0].pk]})
    result = as_alice.post(ballot_url(club, ballots[0], "close/")).json()["result"]
    assert (result["outcome"], result["members_count"], result["paused_count"]) == ("winner", 3, 2)
    # One of two who count, of whom one is paused and has voted.
    as_bob.put(ballot_url(club, ballots[1], "vote/"), {"approved": [entries[1].pk]})
    result = as_alice.post(ballot_url(club, ballots[1], "close/")).json()["result"]
    assert (result["outcome"], result["members_count"], result["paused_count"]) == ("winner", 3, 1)
    assert Ballot.objects.get(pk=ballots[1].pk).voters == 1


def test_mean_percent_leaves_paused_members_out(
    as_alice: APIClient, as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry], pause: str
) -> None:
    url = f"{CLUBS}{club.pk}/books/{entries[0].pk}/progress/"
    as_alice.put(url, {"percent": 60})
    as_bob.put(url, {"percent": 30})
    assert as_alice.get(url).json()["mean_percent"] == 30
    as_moe.put(pause, {})
    assert as_alice.get(url).json()["mean_percent"] == 45
    as_bob.put(pause, {})
    assert as_alice.get(url).json()["mean_percent"] == 60
    as_alice.put(pause, {})
    assert as_alice.get(url).json()["mean_percent"] is None


def test_paused_members_get_no_email_about_ballots(
    as_bob: APIClient, bob: User, club: Club, entries: list[Entry], pause: str, mailoutbox: list[Any]
) -> None:
    bob.email, bob.email_verified = "bob@example.org", True
    bob.update_derived_fields()
    bob.save()
    as_bob.put(pause, {})
    ballot = poll(club, entries)
    run_pending()
    assert not [mail for mail in mailoutbox if mail.to == ["bob@example.org"]]
    assert Notification.objects.filter(user=bob, kind="ballot_opened", in_app=True).exists()
    as_bob.delete(pause)
    notify_members(club.pk, NotificationKind.BALLOT_OPENED, type="ballot", id=ballot.pk, key="again")
    run_pending()
    assert [mail.to for mail in mailoutbox if mail.to == ["bob@example.org"]]


def test_leaving_ends_the_pause(as_bob: APIClient, bob: User, club: Club, pause: str) -> None:
    as_bob.put(pause, {})
    as_bob.post(f"{CLUBS}{club.pk}/leave/")
    as_bob.post(f"{CLUBS}{club.pk}/join/")
    assert as_bob.get(pause).json() == NOT_PAUSED


def test_export_has_the_pause(as_bob: APIClient, club: Club, pause: str) -> None:
    since = as_bob.put(pause, {"until": in_days(club, 3)}).json()["since"]
    response = as_bob.get("/api/v1/users/me/export/")
    [row] = json.loads(response.getvalue())["memberships"]
    assert (row["paused_since"][:19], row["paused_until"], row["paused_by_moderator"]) == (
        since[:19],
        in_days(club, 3),
        False,
    )


def test_inactive_days_filter_is_for_moderators(
    as_bob: APIClient, as_moe: APIClient, club: Club, bob: User, charlie: User
) -> None:
    bring_in(club, charlie)
    ago = {days: timezone.now() - datetime.timedelta(days) for days in (5, 40)}
    Membership.objects.filter(club=club).update(joined_at=ago[40])
    Membership.objects.filter(club=club, user=bob).update(last_active_at=ago[5])
    Membership.objects.filter(club=club, user=charlie).update(joined_at=ago[5])
    assert set(member_rows(as_moe, club, inactive_days=30)) == {"alice", "moe"}
    assert set(member_rows(as_moe, club, inactive_days=4)) == {"alice", "moe", "bob", "charlie"}
    assert bad_parameters(as_bob.get(f"{CLUBS}{club.pk}/members/", {"inactive_days": 4})) == {"inactive_days"}
    for days in ("0", "3651", "x", "1.5"):
        assert bad_parameters(as_moe.get(f"{CLUBS}{club.pk}/members/", {"inactive_days": days})) == {"inactive_days"}


def test_bulk_follows_the_rules_of_one(
    as_moe: APIClient, club: Club, alice: User, bob: User, charlie: User, make_user: Any
) -> None:
    url = f"{CLUBS}{club.pk}/members/bulk/"
    applicant, banned, former = (make_user(name) for name in ("applicant", "banned", "former"))
    bring_in(club, charlie, status="pending")
    bring_in(club, applicant, status="pending")
    bring_in(club, banned, status="banned")
    bring_in(club, former, status="left")

    def bulk(action: str, *users: User | int) -> tuple[list[int], dict[int, str]]:
        ids = [user if isinstance(user, int) else user.pk for user in users]
        response = as_moe.post(url, {"action": action, "users": ids})
        assert response.status_code == 200, response.content
        body = response.json()
        return body["done"], {row["user"]: row["code"] for row in body["refused"]}

    assert bulk("approve", charlie, banned, former, 10**9, charlie) == (
        [charlie.pk],
        {banned.pk: "not_pending", former.pk: "not_found", 10**9: "not_found"},
    )
    assert bulk("refuse", applicant, bob) == ([applicant.pk], {bob.pk: "not_pending"})
    assert bulk("pause", bob, alice, applicant) == ([bob.pk], {alice.pk: "not_above", applicant.pk: "not_found"})
    assert bulk("remove", charlie, alice, banned) == ([charlie.pk], {alice.pk: "not_above", banned.pk: "not_a_member"})
    club.refresh_from_db()
    assert club.members_count == 3
    assert club.memberships.get(user=bob).paused_by_moderator
    assert Notification.objects.filter(kind="join_accepted", user=charlie).exists() is False  # deleted on leaving
    assert Event.objects.filter(verb="member.accepted", subject=charlie).count() == 1


def test_bulk_pause_records_what_a_single_pause_does(as_moe: APIClient, club: Club, moe: User, make_user: Any) -> None:
    one, *others = users = [make_user(f"reader{n}") for n in range(4)]
    for user in users:
        bring_in(club, user)
    # One member is already paused, and the pause of another ended yesterday.
    bring_in(club, make_user("paused")).set_pause(by=moe, until=None)
    since = timezone.now() - datetime.timedelta(days=9)
    Membership.objects.filter(user=others[0]).update(paused_since=since, paused_until=club.today)
    Membership.objects.filter(user=others[1]).update(
        paused_since=since, paused_until=club.today - datetime.timedelta(days=1)
    )
    Event.objects.all().delete()
    Notification.objects.all().delete()
    last = Change.objects.latest("pk").pk

    def records(user: User) -> list[Any]:
        events = Event.objects.filter(subject=user).values_list("verb", "actor", "club", "object_type", "object_title")
        columns = ("kind", "actor", "club", "object_type", "object_title", "detail_code", "detail", "in_app")
        notifications = Notification.objects.filter(user=user).values_list(*columns)
        changes = Change.objects.filter(stream=-user.pk, pk__gt=last).values_list("type", "club_id", "deleted")
        return [str(list(rows)).replace(user.username, "reader") for rows in (events, notifications, changes)]

    assert as_moe.put(f"{CLUBS}{club.pk}/members/{one.pk}/pause/", {"until": None}).status_code == 200
    ids = list(User.objects.filter(username__startswith="reader").values_list("pk", flat=True))
    paused = User.objects.get(username="paused")
    body = {"action": "pause", "users": [*ids, paused.pk, moe.pk]}
    response = as_moe.post(f"{CLUBS}{club.pk}/members/bulk/", body)
    assert response.json() == {"done": body["users"], "refused": []}
    assert [records(user) for user in others] == [records(one)] * 3
    assert "member.paused" in records(one)[0]
    assert not Event.objects.filter(subject=paused).exists()
    rows = {row.user_id: row for row in club.memberships.all()}
    assert {(rows[pk].paused_until, rows[pk].paused_by_moderator) for pk in [*ids, paused.pk]} == {(None, True)}
    assert [rows[user.pk].paused_since == since for user in others] == [True, False, False]
    assert rows[one.pk].updated_at < rows[others[0].pk].updated_at
    # The moderator's own pause does not count as one by a moderator. Neither Moe nor the paused member is notified.
    assert rows[moe.pk].paused_since is not None
    assert not rows[moe.pk].paused_by_moderator
    assert not Notification.objects.filter(user__in=[moe, paused]).exists()


def test_bulk_fills_the_club_up_to_its_limit(make_club: Any, as_alice: APIClient, make_user: Any) -> None:
    club = make_club(join_policy="request", member_limit=4)
    users = [make_user(f"u{n}") for n in range(3)]
    for user in users:
        bring_in(club, user, status="pending")
    body = {"action": "approve", "users": [user.pk for user in users]}
    response = as_alice.post(f"{CLUBS}{club.pk}/members/bulk/", body).json()
    assert response["done"] == [users[0].pk]
    assert [row["code"] for row in response["refused"]] == ["club_full"] * 2
    club.refresh_from_db()
    assert club.members_count == 4


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"action": "ban"}, {"action": "invalid_choice"}),
        ({"users": []}, {"users": "min_length"}),
        ({"users": list(range(1, 202))}, {"users": "max_length"}),
        ({"users": ["x"]}, {"users.0": "invalid"}),
        ({"users": None}, {"users": "null"}),
    ],
)
def test_bulk_rejects_invalid_bodies(as_moe: APIClient, club: Club, body: Any, errors: dict[str, str]) -> None:
    response = as_moe.post(f"{CLUBS}{club.pk}/members/bulk/", {"action": "approve", "users": [1]} | body)
    assert bad_fields(response) == errors
