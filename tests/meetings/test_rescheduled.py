"""Answers given before a meeting was rescheduled."""

import datetime

import pytest

from core.tasks.worker import run_pending
from tests.clubs.helpers import bring_in
from tests.meetings.helpers import check_seats, counts, ok, own_rsvp, rsvp, url

pytestmark = pytest.mark.django_db

AT = datetime.datetime(2027, 6, 10, 18, tzinfo=datetime.UTC)  # 19:00 in London


def move(client, meeting, starts_at, **fields):
    return ok(client.patch(url(meeting), {"starts_at": starts_at, **fields}))


@pytest.fixture
def meeting(make_meeting, as_bob, as_alice):
    meeting = make_meeting(starts_at=AT)
    rsvp(as_bob, meeting, "yes")
    rsvp(as_alice, meeting, "maybe")
    return meeting


@pytest.mark.parametrize(
    ("fields", "is_rescheduled"),
    [
        ({"starts_at": "2027-06-11T18:00:00Z"}, True),
        ({"starts_at": "2027-06-10T21:00:00Z"}, True),
        ({"starts_at": "2027-06-10T15:00:00Z"}, True),
        ({"starts_at": "2027-06-10T20:59:59Z"}, False),
        ({"starts_at": "2027-06-10T15:00:01Z"}, False),
        # Another day in UTC, or in London, is not always one in the meeting's zone.
        ({"starts_at": "2027-06-10T16:30:00Z", "timezone": "Asia/Tokyo"}, False),
        ({"starts_at": "2027-06-10T16:30:00Z", "timezone": "Asia/Karachi"}, False),
        ({"starts_at": "2027-06-10T19:30:00Z", "timezone": "Asia/Karachi"}, True),
        ({"timezone": "Asia/Tokyo"}, False),
        ({"place": "Library", "duration_minutes": 300}, False),
    ],
)
def test_answers_to_a_rescheduled_meeting_are_unconfirmed(meeting, as_moe, as_bob, fields, is_rescheduled):
    shown = ok(as_moe.patch(url(meeting), fields))
    assert shown["counts"] == counts(yes=1, maybe=1, unconfirmed=int(is_rescheduled))
    rows = ok(as_bob.get(url(meeting, "rsvps/")))["results"]
    assert [row["before_change"] for row in rows] == [is_rescheduled] * 2
    assert ok(as_bob.get(url(meeting)))["my_rsvp"] == own_rsvp("yes", before_change=is_rescheduled)
    check_seats()


def test_shift_over_midnight_is_another_day(make_meeting, as_bob, as_moe):
    late = make_meeting(starts_at=datetime.datetime(2027, 6, 10, 22, 30, tzinfo=datetime.UTC))  # 23:30 in London
    rsvp(as_bob, late, "yes")
    assert move(as_moe, late, "2027-06-10T22:00:00Z")["counts"]["unconfirmed"] == 0
    assert move(as_moe, late, "2027-06-10T23:00:00Z")["counts"]["unconfirmed"] == 1
    check_seats()


@pytest.mark.parametrize("answer", ["yes", "no", "maybe"])
def test_new_answer_confirms(meeting, as_moe, as_bob, answer):
    move(as_moe, meeting, "2027-06-11T18:00:00Z")
    before = ok(as_bob.get(url(meeting, "rsvps/"), {"answer": "yes"}))["results"][0]["answered_at"]
    assert rsvp(as_bob, meeting, answer) == (answer, None)
    assert ok(as_bob.get(url(meeting)))["my_rsvp"] == own_rsvp(answer)
    assert ok(as_bob.get(url(meeting)))["counts"]["unconfirmed"] == 0
    assert ok(as_bob.get(url(meeting, "rsvps/"), {"answer": answer}))["results"][-1]["answered_at"] >= before
    check_seats()


def test_waitlist_keeps_its_order_through_a_change(make_meeting, club, make_user, client_of, as_moe):
    meeting = make_meeting(starts_at=AT, capacity=1)
    clients = []
    for name in ("ann", "ben", "cid", "dan"):
        bring_in(club, user := make_user(name))
        clients.append(client_of(user))
        rsvp(clients[-1], meeting, "yes")
    move(as_moe, meeting, "2027-06-12T18:00:00Z")
    assert rsvp(clients[3], meeting, "yes") == ("waitlisted", 3)
    assert rsvp(clients[1], meeting, "yes") == ("waitlisted", 1)
    rsvp(clients[0], meeting, "no")
    shown = ok(as_moe.get(url(meeting)))
    assert shown["counts"] == counts(yes=1, no=1, waitlisted=2)
    rsvp(clients[1], meeting, "no")
    # The next on the waitlist has not confirmed.
    assert ok(as_moe.get(url(meeting)))["counts"] == counts(yes=1, no=2, waitlisted=1, unconfirmed=1)
    check_seats()


def test_past_or_unchanged_meeting_keeps_its_answers(meeting, as_moe, as_bob):
    move(as_moe, meeting, "2027-06-10T18:00:00Z")
    assert ok(as_bob.get(url(meeting)))["counts"]["unconfirmed"] == 0
    # A meeting in the past is only corrected.
    move(as_moe, meeting, "2026-06-10T18:00:00Z")
    assert ok(as_bob.get(url(meeting)))["counts"]["unconfirmed"] == 0


def test_notification_of_a_rescheduled_meeting_asks_again(meeting, as_moe, as_bob):
    def text():
        run_pending()
        return ok(as_bob.get("/api/v1/users/me/notifications/"))["results"][0]["text"]

    ok(as_moe.patch(url(meeting), {"place": "Library"}))
    assert "whether you are coming" not in text()
    move(as_moe, meeting, "2027-06-11T18:00:00Z")
    assert text().endswith("; please say again whether you are coming.")
    ok(as_moe.patch(url(meeting), {"status": "cancelled"}))
    when = "Friday, June 11, 2027 at 7 p.m. (London time)"
    assert text().endswith(f"it is cancelled; it was planned for {when}.")
