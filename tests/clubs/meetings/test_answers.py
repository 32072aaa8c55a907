"""Answering to a meeting: seats, the line, and who gets a seat that comes free."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.departure import depart
from activity.models import Event
from clubs.meetings.answers import Rsvp
from clubs.models import Meeting
from tests.clubs.helpers import bad_fields, bring_in, problem
from tests.clubs.meetings.helpers import check_seats, ok, say, told, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(club, make_user, client_of):
    """Members ann, ben, cid, dan and eve, each with a client."""
    users = {name: make_user(name) for name in ("ann", "ben", "cid", "dan", "eve")}
    for user in users.values():
        bring_in(club, user)
    return {name: (user, client_of(user)) for name, user in users.items()}


@pytest.fixture
def clients(crowd):
    return {name: client for name, (_user, client) in crowd.items()}


def line(meeting):
    return list(Rsvp.objects.filter(meeting=meeting).line().values_list("user__username", flat=True))


def coming(meeting):
    return set(Rsvp.objects.filter(meeting=meeting, answer="yes").values_list("user__username", flat=True))


def test_answers_are_counted_and_may_change(meeting, as_bob, as_moe, as_alice):
    assert ok(as_bob.get(url(meeting)))["my_rsvp"] is None
    assert ok(as_bob.get(url(meeting, "rsvp/"))) == {"answer": None, "waitlist_position": None}
    for answer in ("maybe", "no", "yes", "yes"):
        assert say(as_bob, meeting, answer) == (answer, None)
        own = {"answer": answer, "waitlist_position": None}
        shown = ok(as_bob.get(url(meeting)))
        assert shown["my_rsvp"] == ok(as_bob.get(url(meeting, "rsvp/"))) == own
        assert shown["counts"] == {"yes": 0, "maybe": 0, "no": 0, "waitlisted": 0} | {answer: 1}
    say(as_moe, meeting, "no")
    shown = ok(as_alice.get(url(meeting)))
    assert (shown["counts"], shown["my_rsvp"]) == ({"yes": 1, "maybe": 0, "no": 1, "waitlisted": 0}, None)
    check_seats()


@pytest.mark.parametrize("answer", ["waitlisted", "perhaps", "", None, 1, ["yes"]])
def test_other_words_are_no_answer(meeting, as_bob, answer):
    assert set(bad_fields(as_bob.put(url(meeting, "rsvp/"), {"answer": answer}))) == {"answer"}
    assert bad_fields(as_bob.put(url(meeting, "rsvp/"), {})) == {"answer": "required"}


def test_a_full_meeting_has_a_line_that_moves_up(plan, clients):
    meeting = plan(capacity=2)
    said = [say(clients[name], meeting, "yes") for name in ("ann", "ben", "cid", "dan", "eve")]
    assert said == [("yes", None), ("yes", None), ("waitlisted", 1), ("waitlisted", 2), ("waitlisted", 3)]
    # Saying it again keeps the place.
    assert say(clients["dan"], meeting, "yes") == ("waitlisted", 2)
    assert say(clients["cid"], meeting, "no") == ("no", None)
    assert ok(clients["eve"].get(url(meeting)))["my_rsvp"] == {"answer": "waitlisted", "waitlist_position": 2}
    # Whoever comes back stands behind the others.
    assert say(clients["cid"], meeting, "yes") == ("waitlisted", 3)
    assert say(clients["ann"], meeting, "no") == ("no", None)
    assert (coming(meeting), line(meeting)) == ({"ben", "dan"}, ["eve", "cid"])
    assert ok(clients["dan"].get(url(meeting, "rsvp/"))) == {"answer": "yes", "waitlist_position": None}
    assert ok(clients["ann"].get(url(meeting)))["counts"] == {"yes": 2, "maybe": 0, "no": 1, "waitlisted": 2}
    assert told("seat_promoted") == [("dan", "Tea")]
    check_seats()


def test_with_a_limit_nobody_says_maybe(plan, as_bob):
    meeting = plan(capacity=2)
    problem(as_bob.put(url(meeting, "rsvp/"), {"answer": "maybe"}), 409, "no_maybe")
    say(as_bob, meeting, "yes")
    assert say(as_bob, meeting, "maybe") == "no_maybe"
    assert coming(meeting) == {"bob"}


def test_more_seats_promote_in_order_and_fewer_throw_nobody_out(plan, clients, as_moe):
    meeting = plan(capacity=1)
    for client in clients.values():
        say(client, meeting, "yes")
    ok(as_moe.patch(url(meeting), {"capacity": 3}))
    assert (coming(meeting), line(meeting)) == ({"ann", "ben", "cid"}, ["dan", "eve"])
    ok(as_moe.patch(url(meeting), {"capacity": 1}))
    assert coming(meeting) == {"ann", "ben", "cid"}
    say(clients["ann"], meeting, "no")
    assert (coming(meeting), line(meeting)) == ({"ben", "cid"}, ["dan", "eve"])
    ok(as_moe.patch(url(meeting), {"capacity": None}))
    assert (coming(meeting), line(meeting)) == ({"ben", "cid", "dan", "eve"}, [])
    assert told("seat_promoted") == [(name, "Tea") for name in ("ben", "cid", "dan", "eve")]
    check_seats()


def test_a_limit_that_comes_later_leaves_what_was_said(plan, clients, as_moe):
    meeting = plan()
    for name, answer in {"ann": "yes", "ben": "maybe", "cid": "yes"}.items():
        say(clients[name], meeting, answer)
    ok(as_moe.patch(url(meeting), {"capacity": 1}))
    assert ok(as_moe.get(url(meeting)))["counts"] == {"yes": 2, "maybe": 1, "no": 0, "waitlisted": 0}
    assert say(clients["ben"], meeting, "yes") == ("waitlisted", 1)
    check_seats()


def test_nobody_answers_once_it_is_cancelled_or_over(plan, as_bob, as_moe):
    cancelled, over, running = plan(status="cancelled"), plan(days=-1), plan(days=-0.01)
    for answer in ("yes", "maybe", "no"):
        problem(as_bob.put(url(cancelled, "rsvp/"), {"answer": answer}), 409, "meeting_cancelled")
        problem(as_bob.put(url(over, "rsvp/"), {"answer": answer}), 409, "meeting_over")
    assert say(as_bob, running, "yes") == ("yes", None)


def test_a_meeting_that_is_to_be_after_all_fills_its_seats(plan, crowd, clients, as_moe, bob):
    meeting = plan(capacity=1)
    for name in ("ann", "ben"):
        say(clients[name], meeting, "yes")
    ok(as_moe.patch(url(meeting), {"status": "cancelled"}))
    crowd["ann"][0].memberships.get().remove(by=None)
    assert line(meeting) == ["ben"]
    ok(as_moe.patch(url(meeting), {"status": "scheduled"}))
    assert (coming(meeting), line(meeting)) == ({"ben"}, [])
    check_seats()


@pytest.mark.parametrize("way", ["leaves", "removed", "banned", "closes the account"])
def test_whoever_goes_frees_a_seat(plan, crowd, clients, as_alice, club, way):
    meeting, past = plan(capacity=1), plan(capacity=1)
    for name in ("ann", "ben", "cid"):
        say(clients[name], meeting, "yes")
        say(clients[name], past, "yes")
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
        depart(ann)
    assert (coming(meeting), line(meeting)) == ({"ben"}, ["cid"])
    # What is over stays as it was, but for who is nobody any more; its seats are no use to anybody.
    assert coming(past) == (set() if way == "closes the account" else {"ann"})
    assert line(past) == ["ben", "cid"]
    assert told("seat_promoted") == [("ben", "Tea")]
    check_seats()


def test_a_line_loses_who_goes(plan, crowd, clients):
    meeting = plan(capacity=1)
    for name in ("ann", "ben", "cid"):
        say(clients[name], meeting, "yes")
    crowd["ben"][0].memberships.get().remove(by=None)
    assert ok(clients["cid"].get(url(meeting)))["my_rsvp"] == {"answer": "waitlisted", "waitlist_position": 1}
    assert told("seat_promoted") == []
    check_seats()


def test_somebody_else_s_answer_is_not_told(meeting, as_bob, as_alice):
    say(as_bob, meeting, "no")
    assert "bob" not in as_alice.get(url(meeting)).content.decode()


def test_an_answer_is_in_ones_own_log_and_not_in_the_clubs(meeting, as_bob, bob, club):
    Event.objects.all().delete()
    say(as_bob, meeting, "yes")
    say(as_bob, meeting, "yes")
    say(as_bob, meeting, "waitlisted")
    assert list(Event.objects.values_list("verb", "actor", "club", "object_title")) == [
        ("meeting.answered", bob.pk, None, "Tea")
    ]


def test_if_match(meeting, as_bob, as_moe):
    tag = as_bob.get(url(meeting, "rsvp/"))["ETag"]
    assert as_bob.put(url(meeting, "rsvp/"), {"answer": "no"}, headers={"If-Match": tag}).status_code == 200
    assert as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}, headers={"If-Match": tag}).status_code == 412
    tag = as_moe.get(url(meeting))["ETag"]
    say(as_bob, meeting, "yes")
    assert as_moe.patch(url(meeting), {"title": "Late"}, headers={"If-Match": tag}).status_code == 412
    tag = as_moe.get(url(meeting))["ETag"]
    assert as_moe.patch(url(meeting), {"title": "Late"}, headers={"If-Match": tag}).status_code == 200


def test_a_meeting_of_another_club_is_not_there(meeting, make_club, as_alice, as_bob):
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
def test_seats_and_line_are_right_whatever_happens(plan, crowd, club, alice, steps, capacity):
    """Against a model in a few lines: who has a seat, and who waits in which order."""
    meeting = plan(capacity=capacity)
    users = [user for user, _client in crowd.values()]
    seats: list[str] = []
    waiting: list[str] = []
    cancelled = False

    def move_up():
        while waiting and not cancelled and (capacity is None or len(seats) < capacity):
            seats.append(waiting.pop(0))

    for word, value in steps:
        meeting.refresh_from_db()
        who = users[value if isinstance(value, int) else 0]
        name, row = who.username, club.membership_of(who)
        if word in ("yes", "no") and not cancelled and row.status == "active":
            Rsvp.give(meeting=meeting, by=who, answer=word)
            if word == "no":
                seats[:], waiting[:] = [s for s in seats if s != name], [w for w in waiting if w != name]
            elif name not in seats + waiting:
                waiting.append(name)
        elif word == "capacity":
            capacity = value
            meeting.change(by=alice, capacity=value)
        elif word in ("cancel", "reinstate"):
            cancelled = word == "cancel"
            meeting.change(by=alice, status="cancelled" if cancelled else "scheduled")
        elif word == "leave" and row.status == "active":
            row.remove(by=None)
            seats[:], waiting[:] = [s for s in seats if s != name], [w for w in waiting if w != name]
        elif word == "join" and row.status != "active":
            bring_in(club, who)
        move_up()
        assert (coming(meeting), line(meeting)) == (set(seats), waiting)
    check_seats()
    for user in users:
        if club.membership_of(user).status != "active":
            bring_in(club, user)
    meeting.remove(by=alice)


def test_counts_that_are_wrong_are_found_and_mended(meeting, as_bob, capsys):
    say(as_bob, meeting, "yes")
    call_command("verify_figures")
    Meeting.objects.update(yes=3, waitlisted=1)
    with pytest.raises(SystemExit):
        call_command("verify_figures")
    assert f"clubs.meeting {meeting.pk} yes: 3, should be 1" in capsys.readouterr().out
    call_command("verify_figures", repair=True)
    check_seats()
