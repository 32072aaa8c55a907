"""Attendance of meetings, and the club statistics based on it."""

import pytest

from accounts.blocks import Block
from accounts.deletion import erase
from clubs.models import Membership
from meetings.models import Attendance
from tests.clubs.helpers import bad_fields, bring_in, problem
from tests.meetings.helpers import ok, url

pytestmark = pytest.mark.django_db


def statistics(client, club):
    body = ok(client.get(f"/api/v1/clubs/{club.pk}/stats/"))
    return body["meetings_held"], body["mean_attendance"]


def record_attendance(client, meeting, *users):
    return client.put(url(meeting, "attendance/"), {"attended": [user.pk for user in users]})


def test_moderator_records_attendance(make_meeting, as_moe, as_bob, alice, bob, moe):
    meeting = make_meeting(days=-1)
    assert ok(as_moe.get(url(meeting)))["attended_count"] is None
    assert record_attendance(as_moe, meeting, alice, bob, bob).status_code == 204
    recorded = {"attended": sorted([alice.pk, bob.pk]), "others": 0, "attended_count": 2}
    assert ok(as_moe.get(url(meeting, "attendance/"))) == ok(as_bob.get(url(meeting, "attendance/"))) == recorded
    assert ok(as_bob.get(url(meeting)))["attended_count"] == 2
    assert record_attendance(as_moe, meeting, moe).status_code == 204
    assert ok(as_moe.get(url(meeting, "attendance/")))["attended"] == [moe.pk]
    assert ok(as_bob.get(url(meeting)))["attended_count"] == 1
    assert record_attendance(as_moe, meeting).status_code == 204
    assert ok(as_bob.get(url(meeting)))["attended_count"] == 0
    problem(record_attendance(as_bob, meeting, bob), 403, "moderators_only")


def test_attendance_accepts_former_members_only(make_meeting, club, as_moe, bob, charlie, make_user):
    meeting = make_meeting(days=-1)
    asking, banned = make_user("asking"), make_user("banned")
    bring_in(club, asking, status="pending")
    bring_in(club, banned, status="banned")
    Membership.objects.get(user=bob).remove(by=None)
    assert record_attendance(as_moe, meeting, bob, banned).status_code == 204
    for stranger in (charlie, asking):
        assert bad_fields(record_attendance(as_moe, meeting, bob, stranger)) == {"attended.1": "does_not_exist"}
    nobody = {"attended": [bob.pk, 10**15]}
    assert bad_fields(as_moe.put(url(meeting, "attendance/"), nobody)) == {"attended.1": "does_not_exist"}
    assert Attendance.objects.count() == 2


@pytest.mark.parametrize("attended", [None, "bob", {"id": 1}, ["bob"], [0], [-1], [10**30], [None], [1] * 10_001])
def test_invalid_attendance_is_rejected(make_meeting, as_moe, attended):
    problem(as_moe.put(url(make_meeting(days=-1), "attendance/"), {"attended": attended}), 400, "invalid")


def test_attendance_of_cancelled_meeting_is_rejected(make_meeting, as_moe, bob):
    problem(record_attendance(as_moe, make_meeting(days=-1, status="cancelled"), bob), 409, "meeting_cancelled")


def test_attendance_statistics_of_club(make_meeting, club, as_moe, anonymous, alice, bob, moe):
    assert statistics(anonymous, club) == (0, None)
    first, second, _unrecorded = make_meeting(days=-3), make_meeting(days=-2), make_meeting(days=-1)
    upcoming, cancelled, deleted = make_meeting(days=3), make_meeting(days=-4), make_meeting(days=-5)
    assert statistics(anonymous, club) == (0, None)
    cancelled.update_meeting(by=alice, status="cancelled")
    deleted.delete_meeting(by=alice)
    record_attendance(as_moe, first, alice, bob, moe)
    assert statistics(anonymous, club) == (1, 3.0)
    record_attendance(as_moe, second)
    record_attendance(as_moe, upcoming, alice)
    assert statistics(anonymous, club) == (1, 1.5)
    record_attendance(as_moe, second, bob)
    assert statistics(anonymous, club) == (2, 2.0)
    record_attendance(as_moe, first)
    assert statistics(anonymous, club) == (1, 0.5)


def test_attendees_without_an_account_are_counted(make_meeting, club, as_moe, as_bob, anonymous, bob):
    meeting = make_meeting(days=-1)
    unrecorded = {"attended": [], "others": 0, "attended_count": None}
    assert ok(as_bob.get(url(meeting, "attendance/"))) == unrecorded
    ok(as_moe.put(url(meeting, "attendance/"), {"attended": [bob.pk], "others": 4}), 204)
    assert ok(as_bob.get(url(meeting, "attendance/"))) == {"attended": [bob.pk], "others": 4, "attended_count": 5}
    assert ok(as_bob.get(url(meeting)))["attended_count"] == 5
    assert statistics(anonymous, club) == (1, 5.0)
    ok(as_moe.put(url(meeting, "attendance/"), {"attended": [], "others": 1}), 204)
    assert statistics(anonymous, club) == (1, 1.0)
    ok(as_moe.put(url(meeting, "attendance/"), {"attended": []}), 204)
    assert statistics(anonymous, club) == (0, 0.0)
    assert ok(as_bob.get(url(meeting, "attendance/")))["others"] == 0


@pytest.mark.parametrize("others", [-1, 10_001, "many", 1.5, None])
def test_invalid_number_of_others_is_rejected(make_meeting, as_moe, others):
    body = {"attended": [], "others": others}
    assert set(bad_fields(as_moe.put(url(make_meeting(days=-1), "attendance/"), body))) == {"others"}


def test_block_hides_attendee_but_not_from_the_count(make_meeting, as_moe, as_bob, alice, bob, moe):
    meeting = make_meeting(days=-1)
    record_attendance(as_moe, meeting, alice, bob)
    Block.objects.block(on=bob, by=moe)
    for client, hidden in ((as_moe, bob), (as_bob, None)):
        shown = ok(client.get(url(meeting, "attendance/")))
        assert hidden is None or hidden.pk not in shown["attended"]
        assert shown["attended_count"] == 2
    # What Moe sees can be sent back.
    record_attendance(as_moe, meeting, alice)
    assert ok(as_bob.get(url(meeting, "attendance/")))["attended"] == sorted([alice.pk, bob.pk])
    record_attendance(as_moe, meeting, moe)
    assert set(Attendance.objects.values_list("user", flat=True)) == {bob.pk, moe.pk}
    assert ok(as_moe.get(url(meeting)))["attended_count"] == 2


def test_account_deletion_keeps_attended_count(make_meeting, club, as_moe, anonymous, alice, bob):
    meeting = make_meeting(days=-1)
    record_attendance(as_moe, meeting, alice, bob)
    erase(bob)
    assert ok(as_moe.get(url(meeting, "attendance/"))) == {"attended": [alice.pk], "others": 0, "attended_count": 2}
    assert statistics(anonymous, club) == (1, 2.0)
