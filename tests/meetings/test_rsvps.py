"""RSVPs: seats, the waitlist, and promotions from it."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.deletion import erase
from activity.models import Event
from meetings.models import Meeting, Rsvp
from tests.clubs.helpers import bad_fields, bring_in, problem
from tests.meetings.helpers import check_seats, counts, notified, ok, own_rsvp, rsvp, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(club, make_user, client_of):
    """Members ann, ben, cid, dan and eve, with their clients."""
    users = {name: make_user(name) for name in ("ann", "ben", "cid", "dan", "eve")}
    for user in users.values():
        bring_in(club, user)
    return {name: (user, client_of(user)) for name, user in users.items()}


@pytest.fixture
def clients(crowd):
    return {name: client for name, (_user, client) in crowd.items()}


def waitlist(meeting):
    return list(Rsvp.objects.filter(meeting=meeting).waitlisted().values_list("user__username", flat=True))


def attendees(meeting):
    return set(Rsvp.objects.filter(meeting=meeting, answer="yes").values_list("user__username", flat=True))


def test_rsvp_can_be_changed_and_is_counted(meeting, as_bob, as_moe, as_alice):
    assert ok(as_bob.get(url(meeting)))["my_rsvp"] is None
    assert ok(as_bob.get(url(meeting, "rsvp/"))) == own_rsvp(None)
    for answer in ("maybe", "no", "yes", "yes"):
        assert rsvp(as_bob, meeting, answer) == (answer, None)
        shown = ok(as_bob.get(url(meeting)))
        assert shown["my_rsvp"] == ok(as_bob.get(url(meeting, "rsvp/"))) == own_rsvp(answer)
        assert shown["counts"] == counts(**{answer: 1})
    rsvp(as_moe, meeting, "no")
    shown = ok(as_alice.get(url(meeting)))
    assert (shown["counts"], shown["my_rsvp"]) == (counts(yes=1, no=1), None)
    check_seats()


@pytest.mark.parametrize("answer", ["waitlisted", "perhaps", "", None, 1, ["yes"]])
def test_rsvp_with_invalid_answer_is_rejected(meeting, as_bob, answer):
    assert set(bad_fields(as_bob.put(url(meeting, "rsvp/"), {"answer": answer}))) == {"answer"}
    assert bad_fields(as_bob.put(url(meeting, "rsvp/"), {})) == {"answer": "required"}


def test_full_meeting_has_a_waitlist(make_meeting, clients):
    meeting = make_meeting(capacity=2)
    answers = [rsvp(clients[name], meeting, "yes") for name in ("ann", "ben", "cid", "dan", "eve")]
    assert answers == [("yes", None), ("yes", None), ("waitlisted", 1), ("waitlisted", 2), ("waitlisted", 3)]
    # The same answer again keeps the position.
    assert rsvp(clients["dan"], meeting, "yes") == ("waitlisted", 2)
    assert rsvp(clients["cid"], meeting, "no") == ("no", None)
    assert ok(clients["eve"].get(url(meeting)))["my_rsvp"] == own_rsvp("waitlisted", 2)
    # A new yes joins at the end.
    assert rsvp(clients["cid"], meeting, "yes") == ("waitlisted", 3)
    assert rsvp(clients["ann"], meeting, "no") == ("no", None)
    assert (attendees(meeting), waitlist(meeting)) == ({"ben", "dan"}, ["eve", "cid"])
    assert ok(clients["dan"].get(url(meeting, "rsvp/"))) == own_rsvp("yes")
    assert ok(clients["ann"].get(url(meeting)))["counts"] == counts(yes=2, no=1, waitlisted=2)
    assert notified("seat_promoted") == [("dan", "Tea")]
    check_seats()


def test_maybe_with_limited_seats_is_rejected(make_meeting, as_bob):
    meeting = make_meeting(capacity=2)
    problem(as_bob.put(url(meeting, "rsvp/"), {"answer": "maybe"}), 409, "no_maybe")
    rsvp(as_bob, meeting, "yes")
    assert rsvp(as_bob, meeting, "maybe") == "no_maybe"
    assert attendees(meeting) == {"bob"}


def test_capacity_change_promotes_but_never_demotes(make_meeting, clients, as_moe):
    meeting = make_meeting(capacity=1)
    for client in clients.values():
        rsvp(client, meeting, "yes")
    ok(as_moe.patch(url(meeting), {"capacity": 3}))
    assert (attendees(meeting), waitlist(meeting)) == ({"ann", "ben", "cid"}, ["dan", "eve"])
    ok(as_moe.patch(url(meeting), {"capacity": 1}))
    assert attendees(meeting) == {"ann", "ben", "cid"}
    rsvp(clients["ann"], meeting, "no")
    assert (attendees(meeting), waitlist(meeting)) == ({"ben", "cid"}, ["dan", "eve"])
    ok(as_moe.patch(url(meeting), {"capacity": None}))
    assert (attendees(meeting), waitlist(meeting)) == ({"ben", "cid", "dan", "eve"}, [])
    assert notified("seat_promoted") == [(name, "Tea") for name in ("ben", "cid", "dan", "eve")]
    check_seats()


def test_new_capacity_keeps_existing_rsvps(make_meeting, clients, as_moe):
    meeting = make_meeting()
    for name, answer in {"ann": "yes", "ben": "maybe", "cid": "yes"}.items():
        rsvp(clients[name], meeting, answer)
    ok(as_moe.patch(url(meeting), {"capacity": 1}))
    assert ok(as_moe.get(url(meeting)))["counts"] == counts(yes=2, maybe=1)
    assert rsvp(clients["ben"], meeting, "yes") == ("waitlisted", 1)
    check_seats()


def test_rsvp_to_cancelled_or_past_meeting_is_rejected(make_meeting, as_bob, as_moe):
    cancelled, over, running = make_meeting(status="cancelled"), make_meeting(days=-1), make_meeting(days=-0.01)
    for answer in ("yes", "maybe", "no"):
        problem(as_bob.put(url(cancelled, "rsvp/"), {"answer": answer}), 409, "meeting_cancelled")
        problem(as_bob.put(url(over, "rsvp/"), {"answer": answer}), 409, "meeting_over")
    assert rsvp(as_bob, running, "yes") == ("yes", None)


def test_reinstated_meeting_promotes_the_waitlist(make_meeting, crowd, clients, as_moe, bob):
    meeting = make_meeting(capacity=1)
    for name in ("ann", "ben"):
        rsvp(clients[name], meeting, "yes")
    ok(as_moe.patch(url(meeting), {"status": "cancelled"}))
    crowd["ann"][0].memberships.get().remove(by=None)
    assert waitlist(meeting) == ["ben"]
    ok(as_moe.patch(url(meeting), {"status": "scheduled"}))
    assert (attendees(meeting), waitlist(meeting)) == ({"ben"}, [])
    check_seats()


@pytest.mark.parametrize("way", ["leaves", "removed", "banned", "closes the account"])
def test_leaving_withdraws_rsvps(make_meeting, crowd, clients, as_alice, club, way):
    meeting, past = make_meeting(capacity=1), make_meeting(capacity=1)
    for name in ("ann", "ben", "cid"):
        rsvp(clients[name], meeting, "yes")
        rsvp(clients[name], past, "yes")
    Meeting.objects.filter(pk=past.pk).update(
        starts_at=timezone.now() - timedelta(days=2), ends_at=timezone.now() - timedelta(days=1)
    )
    ann = crowd["ann"][0]
    if way == "leaves":
        clients["ann"].post(f"/api/v1/clubs/{club.pk}/leave/")
    elif way == "removed":
        as_alice.delete(f"/api/v1/clubs/{club.pk}/members/{ann.pk}/")
    elif way == "banned":
        as_alice.patch(f"/api/v1/clubs/{club.pk}/members/{ann.pk}/", {"status": "banned"})
    else:
        erase(ann)
    assert (attendees(meeting), waitlist(meeting)) == ({"ben"}, ["cid"])
    # RSVPs to past meetings stay, except those of a deleted account; nobody is promoted.
    assert attendees(past) == (set() if way == "closes the account" else {"ann"})
    assert waitlist(past) == ["ben", "cid"]
    assert notified("seat_promoted") == [("ben", "Tea")]
    check_seats()


def test_leaving_removes_user_from_waitlist(make_meeting, crowd, clients):
    meeting = make_meeting(capacity=1)
    for name in ("ann", "ben", "cid"):
        rsvp(clients[name], meeting, "yes")
    crowd["ben"][0].memberships.get().remove(by=None)
    assert ok(clients["cid"].get(url(meeting)))["my_rsvp"] == own_rsvp("waitlisted", 1)
    assert notified("seat_promoted") == []
    check_seats()


def test_rsvps_of_others_are_not_shown(meeting, as_bob, as_alice):
    rsvp(as_bob, meeting, "no")
    assert "bob" not in as_alice.get(url(meeting)).content.decode()


def test_rsvp_is_recorded_in_user_activity_only(meeting, as_bob, bob, club):
    Event.objects.all().delete()
    rsvp(as_bob, meeting, "yes")
    rsvp(as_bob, meeting, "yes")
    rsvp(as_bob, meeting, "waitlisted")
    assert list(Event.objects.values_list("verb", "actor", "club", "object_title")) == [
        ("meeting.answered", bob.pk, None, "Tea")
    ]


def test_stale_if_match_is_rejected(meeting, as_bob, as_moe):
    tag = as_bob.get(url(meeting, "rsvp/"))["ETag"]
    assert as_bob.put(url(meeting, "rsvp/"), {"answer": "no"}, headers={"If-Match": tag}).status_code == 200
    assert as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}, headers={"If-Match": tag}).status_code == 412
    tag = as_moe.get(url(meeting))["ETag"]
    rsvp(as_bob, meeting, "yes")
    assert as_moe.delete(url(meeting), headers={"If-Match": tag}).status_code == 412
    assert as_moe.patch(url(meeting), {"title": "Late"}, headers={"If-Match": tag}).status_code == 200


def test_meeting_under_another_club_is_not_found(meeting, make_club, as_alice, as_bob):
    other = make_club("Other")
    for rest, body in (("", None), ("rsvp/", {"answer": "yes"}), ("attendance/", {"attended": []})):
        address = f"/api/v1/clubs/{other.pk}/meetings/{meeting.pk}/{rest}"
        assert as_alice.get(address).status_code == 404
        if body:
            assert as_alice.put(address, body).status_code == 404


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["yes", "no"]), st.integers(0, 3)),
        st.tuples(st.just("capacity"), st.sampled_from([None, 1, 2, 3])),
        st.tuples(st.sampled_from(["cancel", "reinstate"]), st.just(0)),
        st.tuples(st.sampled_from(["leave", "join"]), st.integers(0, 3)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, capacity=st.sampled_from([None, 1, 2]))
def test_seats_and_waitlist_match_a_model(make_meeting, crowd, club, alice, steps, capacity):
    """Compare with a simple model of seats and waitlist."""
    meeting = make_meeting(capacity=capacity)
    users = [user for user, _client in crowd.values()]
    seats: list[str] = []
    waiting: list[str] = []
    cancelled = False

    def move_up():
        while waiting and not cancelled and (capacity is None or len(seats) < capacity):
            seats.append(waiting.pop(0))

    for action, value in steps:
        meeting.refresh_from_db()
        user = users[value if isinstance(value, int) else 0]
        name, row = user.username, club.get_membership(user)
        if action in ("yes", "no") and not cancelled and row.status == "active":
            Rsvp.set_rsvp(meeting=meeting, by=user, answer=action)
            if action == "no":
                seats[:], waiting[:] = [s for s in seats if s != name], [w for w in waiting if w != name]
            elif name not in seats + waiting:
                waiting.append(name)
        elif action == "capacity":
            capacity = value
            meeting.update_meeting(by=alice, capacity=value)
        elif action in ("cancel", "reinstate"):
            cancelled = action == "cancel"
            meeting.update_meeting(by=alice, status="cancelled" if cancelled else "scheduled")
        elif action == "leave" and row.status == "active":
            row.remove(by=None)
            seats[:], waiting[:] = [s for s in seats if s != name], [w for w in waiting if w != name]
        elif action == "join" and row.status != "active":
            bring_in(club, user)
        move_up()
        assert (attendees(meeting), waitlist(meeting)) == (set(seats), waiting)
    check_seats()
    for user in users:
        if club.get_membership(user).status != "active":
            bring_in(club, user)
    meeting.delete_meeting(by=alice)


def test_verify_counters_finds_and_repairs_rsvp_counters(meeting, as_bob, capsys):
    rsvp(as_bob, meeting, "yes")
    call_command("verify_counters")
    Meeting.objects.update(yes=3, waitlisted=1)
    with pytest.raises(CommandError):
        call_command("verify_counters")
    assert f"meetings.meeting {meeting.pk} yes: 3, should be 1" in capsys.readouterr().out
    call_command("verify_counters", repair=True)
    check_seats()
