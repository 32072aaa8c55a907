"""The list of RSVPs, and reminders to those who have not answered."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.blocks import Block
from activity.models import Event
from meetings.models import Meeting, Rsvp
from tests.clubs.helpers import bad_parameters, bring_in, problem
from tests.meetings.helpers import notified, ok, rsvp, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def members(club, make_user, client_of):
    """Members ann, ben, cid, dan and eve, with their clients."""
    users = {name: make_user(name) for name in ("ann", "ben", "cid", "dan", "eve")}
    for user in users.values():
        bring_in(club, user)
    return {name: (user, client_of(user)) for name, user in users.items()}


def listed(client, meeting, **query):
    rows = ok(client.get(url(meeting, "rsvps/"), query))["results"]
    return [(row["user"]["username"], row["answer"]) for row in rows]


def test_rsvps_are_listed_by_answer_and_time(make_meeting, members, as_bob):
    meeting = make_meeting()
    for name, answer in {"ann": "no", "ben": "maybe", "cid": "yes", "dan": "yes", "eve": "maybe"}.items():
        rsvp(members[name][1], meeting, answer)
    rsvp(members["cid"][1], meeting, "no")
    rsvp(members["cid"][1], meeting, "yes")
    in_order = [("dan", "yes"), ("cid", "yes"), ("ben", "maybe"), ("eve", "maybe"), ("ann", "no")]
    assert listed(as_bob, meeting) == in_order
    assert listed(as_bob, meeting, answer="maybe") == [("ben", "maybe"), ("eve", "maybe")]
    assert listed(as_bob, meeting, answer="waitlisted") == []
    first = as_bob.get(url(meeting, "rsvps/"), {"page_size": 3}).json()
    second = as_bob.get(first["next"]).json()["results"]
    assert [row["user"]["username"] for row in [*first["results"], *second]] == [name for name, _answer in in_order]
    row = first["results"][0]
    assert row == {
        "user": {"id": members["dan"][0].pk, "username": "dan", "display_name": "dan", "avatar_url": None},
        "answer": "yes",
        "waitlist_position": None,
        "before_change": False,
        "answered_at": row["answered_at"],
    }
    assert row["answered_at"].endswith("Z")


def test_waitlist_is_listed_in_order_after_the_attendees(make_meeting, members, as_bob):
    meeting = make_meeting(capacity=1)
    for name in ("ann", "ben", "cid"):
        rsvp(members[name][1], meeting, "yes")
    rsvp(members["ben"][1], meeting, "no")
    rsvp(members["ben"][1], meeting, "yes")
    rows = ok(as_bob.get(url(meeting, "rsvps/")))["results"]
    found = [(row["user"]["username"], row["answer"], row["waitlist_position"]) for row in rows]
    assert found == [("ann", "yes", None), ("cid", "waitlisted", 1), ("ben", "waitlisted", 2)]


def test_members_without_answer_are_listed_for_moderators(meeting, members, as_moe, as_bob, as_alice, club):
    rsvp(members["ann"][1], meeting, "yes")
    rsvp(as_alice, meeting, "no")
    found = listed(as_moe, meeting, answer="none")
    assert {name for name, _answer in found} == {"moe", "bob", "ben", "cid", "dan", "eve"}
    rows = ok(as_moe.get(url(meeting, "rsvps/"), {"answer": "none", "page_size": 1}))
    assert {name: value for name, value in rows["results"][0].items() if name != "user"} == dict.fromkeys(
        ("answer", "waitlist_position", "before_change", "answered_at")
    )
    assert len(ok(as_moe.get(rows["next"]))["results"]) == 1
    problem(as_bob.get(url(meeting, "rsvps/"), {"answer": "none"}), 403, "moderators_only")
    assert bad_parameters(as_bob.get(url(meeting, "rsvps/"), {"answer": "perhaps"})) == {"answer"}


def test_paused_members_are_neither_listed_nor_reminded(meeting, members, as_moe, club):
    ok(members["ann"][1].put(f"/api/v1/clubs/{club.pk}/pause/", {"until": None}))
    unanswered = {name for name, _answer in listed(as_moe, meeting, answer="none")}
    assert unanswered == {"alice", "moe", "bob", "ben", "cid", "dan", "eve"}
    assert ok(as_moe.post(url(meeting, "rsvps/remind/")), 202) == {"notified": 7}
    assert {name for name, _title in notified("rsvp_reminder")} == unanswered
    rsvp(members["ann"][1], meeting, "yes")
    assert listed(as_moe, meeting) == [("ann", "yes")]


def test_blocks_hide_names_but_not_from_counts(meeting, members, as_bob, bob, as_moe):
    ann, client = members["ann"]
    rsvp(client, meeting, "yes")
    Block.objects.block(on=ann, by=bob)
    assert listed(as_bob, meeting) == []
    assert ok(as_bob.get(url(meeting)))["counts"]["yes"] == 1
    rsvp(as_bob, meeting, "yes")
    assert listed(client, meeting) == [("ann", "yes")]
    assert listed(as_moe, meeting) == [("ann", "yes"), ("bob", "yes")]


def test_list_of_rsvps_takes_four_queries(meeting, members, as_bob, django_assert_num_queries):
    for _user, client in members.values():
        rsvp(client, meeting, "yes")
    # Session with user; club with membership; meeting; RSVPs with users.
    with django_assert_num_queries(4):
        assert len(listed(as_bob, meeting)) == 5


def test_reminder_asks_those_without_an_answer_once_a_day(meeting, members, as_moe, as_alice, as_bob, moe, club):
    for client in (as_alice, members["ann"][1]):
        rsvp(client, meeting, "maybe")
    Event.objects.all().delete()
    unanswered = {name for name, _answer in listed(as_moe, meeting, answer="none")}
    assert ok(as_moe.post(url(meeting, "rsvps/remind/")), 202) == {"notified": len(unanswered)}
    assert {name for name, _title in notified("rsvp_reminder")} == unanswered
    text = ok(as_bob.get("/api/v1/users/me/notifications/"))["results"][0]["text"]
    assert text.startswith("Are you coming to “Tea”")
    assert Event.objects.get().verb == "meeting.reminded"
    again = as_moe.post(url(meeting, "rsvps/remind/"))
    until = datetime.fromisoformat(problem(again, 409, "reminded_already")["until"])
    assert timedelta(hours=23) < until - timezone.now() <= timedelta(hours=24)
    assert again.json()["until"].endswith("Z")
    Meeting.objects.update(reminded_at=timezone.now() - timedelta(hours=24))
    rsvp(as_bob, meeting, "no")
    assert ok(as_moe.post(url(meeting, "rsvps/remind/")), 202) == {"notified": len(unanswered) - 1}


def test_reminder_for_past_or_cancelled_meeting_is_rejected(make_meeting, as_moe):
    problem(as_moe.post(url(make_meeting(days=-1), "rsvps/remind/")), 409, "meeting_over")
    problem(as_moe.post(url(make_meeting(status="cancelled"), "rsvps/remind/")), 409, "meeting_cancelled")


def test_rsvps_of_former_members_to_coming_meetings_are_gone(meeting, members, as_bob, club):
    ann, client = members["ann"]
    rsvp(client, meeting, "yes")
    ok(client.post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert listed(as_bob, meeting) == []
    assert not Rsvp.objects.filter(user=ann).exists()
