"""Seats that become free in the last two hours before a meeting, or later."""

from datetime import timedelta

import pytest
from django.utils import timezone

from meetings.models import Meeting, Rsvp
from tests.clubs.helpers import bring_in
from tests.meetings.helpers import check_seats, counts, notified, ok, rsvp, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def clients(club, make_user, client_of):
    users = {name: make_user(name) for name in ("ann", "ben", "cid", "dan", "eve")}
    for user in users.values():
        bring_in(club, user)
    return {name: client_of(user) for name, user in users.items()}


@pytest.fixture
def meeting(make_meeting, clients):
    """A meeting for one, with Ann; Ben and Cid are on the waitlist."""
    meeting = make_meeting(capacity=1)
    for name in ("ann", "ben", "cid"):
        rsvp(clients[name], meeting, "yes")
    return meeting


def start_in(meeting, **delta):
    starts_at = timezone.now() + timedelta(**delta)
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    meeting.refresh_from_db()


def attendees(meeting):
    return set(Rsvp.objects.filter(meeting=meeting, answer="yes").values_list("user__username", flat=True))


def test_free_seat_more_than_two_hours_before_promotes(meeting, clients):
    start_in(meeting, hours=2, minutes=1)
    rsvp(clients["ann"], meeting, "no")
    assert attendees(meeting) == {"ben"}
    assert notified("seat_available") == []


def test_free_seat_shortly_before_is_announced_once(meeting, clients, as_moe):
    start_in(meeting, hours=1, minutes=59)
    rsvp(clients["ann"], meeting, "no")
    assert attendees(meeting) == set()
    assert notified("seat_available") == [("ben", "Tea"), ("cid", "Tea")]
    assert notified("seat_promoted") == []
    # The first to answer gets it, wherever they are on the waitlist.
    assert rsvp(clients["cid"], meeting, "yes") == ("yes", None)
    assert rsvp(clients["ben"], meeting, "yes") == ("waitlisted", 1)
    assert rsvp(clients["dan"], meeting, "yes") == ("waitlisted", 2)
    rsvp(clients["cid"], meeting, "no")
    assert rsvp(clients["eve"], meeting, "yes") == ("yes", None)
    assert ok(as_moe.get(url(meeting)))["counts"] == counts(yes=1, no=2, waitlisted=2)
    assert len(notified("seat_available")) == 2
    check_seats()


def test_leaving_shortly_before_announces_the_seat(meeting, clients, club):
    start_in(meeting, hours=1)
    ok(clients["ann"].post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert attendees(meeting) == set()
    assert notified("seat_available") == [("ben", "Tea"), ("cid", "Tea")]


def test_more_capacity_shortly_before_promotes(meeting, clients, as_moe):
    start_in(meeting, hours=1)
    ok(as_moe.patch(url(meeting), {"place": "Library"}))
    assert attendees(meeting) == {"ann"}
    ok(as_moe.patch(url(meeting), {"capacity": 2}))
    assert attendees(meeting) == {"ann", "ben"}
    assert notified("seat_promoted") == [("ben", "Tea")]


def test_other_change_shortly_before_gives_no_seat_away(meeting, clients, as_moe):
    start_in(meeting, hours=1)
    rsvp(clients["ann"], meeting, "no")
    ok(as_moe.patch(url(meeting), {"place": "Library"}))
    assert attendees(meeting) == set()
    ok(as_moe.patch(url(meeting), {"starts_at": f"{timezone.now() + timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"}))
    assert attendees(meeting) == {"ben"}


def test_no_seat_moves_after_the_start(meeting, clients, as_moe):
    start_in(meeting, minutes=-1)
    rsvp(clients["ann"], meeting, "no")
    ok(as_moe.patch(url(meeting), {"capacity": 3}))
    assert rsvp(clients["ben"], meeting, "yes") == ("waitlisted", 1)
    assert rsvp(clients["dan"], meeting, "yes") == ("waitlisted", 3)
    assert attendees(meeting) == set()
    assert notified("seat_promoted") == notified("seat_available") == []
    assert ok(as_moe.get(url(meeting)))["counts"] == counts(no=1, waitlisted=3)


def test_lower_capacity_announces_no_seat(make_meeting, clients, as_moe):
    meeting = make_meeting(capacity=2)
    for name in ("ann", "ben", "cid"):
        rsvp(clients[name], meeting, "yes")
    ok(as_moe.patch(url(meeting), {"capacity": 1}))
    start_in(meeting, hours=1)
    rsvp(clients["ann"], meeting, "no")
    assert rsvp(clients["cid"], meeting, "yes") == ("waitlisted", 1)
    assert notified("seat_available") == []
