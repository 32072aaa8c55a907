"""Updating, cancelling and deleting meetings; the next meeting; notifications and reminders."""

import datetime
import zoneinfo
from unittest import mock

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from activity.models import Event, Notification
from core.tasks.models import QueuedTask
from core.tasks.scheduling import enqueue_periodic
from core.tasks.worker import run_pending
from meetings import recurrence
from meetings.models import Meeting
from tests.clubs.helpers import CLUBS, bad_fields, bring_in
from tests.meetings.helpers import notified, ok, rsvp, url

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


def test_put_requires_required_fields_and_keeps_others(make_meeting, as_moe):
    meeting = make_meeting(place="Library", capacity=3)
    assert bad_fields(as_moe.put(url(meeting), {"place": ""})) == {"title": "required", "starts_at": "required"}
    changed = ok(as_moe.put(url(meeting), {"title": "Late tea", "starts_at": "2027-06-01T18:30:00+01:00"}))
    assert (changed["title"], changed["starts_at"], changed["place"], changed["capacity"]) == (
        *("Late tea", "2027-06-01T17:30:00Z"),
        *("Library", 3),
    )


def test_response_can_be_sent_back(make_meeting, as_moe, as_bob):
    meeting = make_meeting(repeats={"every": "weekly", "count": 2})
    rsvp(as_bob, meeting, "yes")
    shown = ok(as_moe.get(url(meeting)))
    before = Meeting.objects.get(pk=meeting.pk)
    assert ok(as_moe.put(url(meeting), shown)) == shown
    assert Meeting.objects.get(pk=meeting.pk).sequence == before.sequence
    sneaky = {"id": 9, "series": 9, "counts": {"yes": 99}, "my_rsvp": {"answer": "no"}, "attended_count": 7, "club": 9}
    assert ok(as_moe.patch(url(meeting), sneaky)) == shown


def test_timezone_change_keeps_the_moment(make_meeting, as_moe):
    meeting = make_meeting(starts_at=datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC))
    changed = ok(as_moe.patch(url(meeting), {"timezone": "Asia/Kathmandu"}))
    assert (changed["starts_at"], changed["timezone"]) == ("2027-06-01T18:00:00Z", "Asia/Kathmandu")
    assert Meeting.objects.get().local_starts_at == datetime.datetime(2027, 6, 1, 23, 45)


def test_longer_duration_reopens_rsvps(make_meeting, as_moe, as_bob):
    meeting = make_meeting(days=-0.1)
    assert rsvp(as_bob, meeting, "yes") == "meeting_over"
    ok(as_moe.patch(url(meeting), {"duration_minutes": 600}))
    assert rsvp(as_bob, meeting, "yes") == ("yes", None)


def test_deleted_meeting_loses_its_rsvps(make_meeting, as_moe, as_bob):
    meeting = make_meeting()
    rsvp(as_bob, meeting, "yes")
    assert as_moe.delete(url(meeting)).status_code == 204
    for client, rest in ((as_bob, ""), (as_bob, "rsvp/"), (as_moe, "attendance/")):
        assert client.get(url(meeting, rest)).status_code == 404
    assert as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}).status_code == 404
    assert as_moe.patch(url(meeting), {"title": "x"}).status_code == 404
    assert as_moe.delete(url(meeting)).status_code == 404
    row = Meeting.objects.get()
    assert (row.yes, row.rsvps.count()) == (0, 0)
    with time_machine.travel(timezone.now() + 32 * DAY):
        run_pending()
    assert not Meeting.objects.exists()


class LondonWithoutSummerTime(datetime.tzinfo):
    """London without summer time."""

    key = "Europe/London"

    def utcoffset(self, at):
        return datetime.timedelta(0)

    dst = utcoffset

    def tzname(self, at):
        return "GMT"


@pytest.fixture
def without_summer_time():
    def zone(name):
        return LondonWithoutSummerTime() if name == "Europe/London" else zoneinfo.ZoneInfo(name)

    return mock.patch.object(recurrence, "ZoneInfo", zone)


def test_local_time_is_kept_when_zone_rules_change(make_meeting, as_bob, without_summer_time):
    """19:00 in June was 18:00Z; without summer time it is 19:00Z."""
    june = datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC)
    meeting, cancelled = make_meeting(starts_at=june), make_meeting(starts_at=june, status="cancelled")
    elsewhere, past = make_meeting(starts_at=june, timezone="America/New_York"), make_meeting(days=-200)
    run_pending()
    Notification.objects.all().delete()
    old_past = ok(as_bob.get(url(past)))["starts_at"]
    with without_summer_time:
        call_command("resync_meetings")
        call_command("resync_meetings")
    assert ok(as_bob.get(url(meeting)))["starts_at"] == "2027-06-01T19:00:00Z"
    assert ok(as_bob.get(url(cancelled)))["starts_at"] == "2027-06-01T19:00:00Z"
    assert ok(as_bob.get(url(elsewhere)))["starts_at"] == "2027-06-01T18:00:00Z"
    assert ok(as_bob.get(url(past)))["starts_at"] == old_past
    meeting.refresh_from_db()
    assert (meeting.local_starts_at, meeting.sequence) == (datetime.datetime(2027, 6, 1, 19), 1)
    assert meeting.ends_at == meeting.starts_at + datetime.timedelta(hours=1)
    assert len([row for row in notified("meeting_changed") if row[0] == "bob"]) == 1


def test_zone_rules_are_checked_daily(make_meeting, without_summer_time):
    meeting = make_meeting(starts_at=datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC))
    with without_summer_time, time_machine.travel(timezone.now() + 2 * DAY):
        enqueue_periodic()
        run_pending()
    meeting.refresh_from_db()
    assert meeting.starts_at.hour == 19


def test_next_meeting_of_club(club, make_meeting, as_bob, anonymous, as_charlie, as_alice):
    def card(client):
        found = ok(client.get(f"{CLUBS}{club.pk}/"))["next_meeting"]
        listed = ok(client.get(CLUBS))["results"][0]["next_meeting"]
        assert found == listed
        return found

    assert card(as_bob) is None
    make_meeting(days=5, title="second", place="Library")
    make_meeting(days=-0.01, title="now")
    make_meeting(days=1, status="cancelled", title="off")
    make_meeting(days=2, title="gone").delete_meeting(by=None)
    first = make_meeting(days=3, title="first", place="Library", capacity=4)
    rsvp(as_bob, first, "yes")
    assert card(as_bob) == ok(as_bob.get(url(first)))
    for client in (anonymous, as_charlie):
        assert card(client) == ok(client.get(url(first)))
        assert card(client)["place"] is None
    with time_machine.travel(first.starts_at):
        assert card(anonymous)["title"] == "second"
    with time_machine.travel(first.starts_at + 10 * DAY):
        assert card(anonymous) is None


def test_pending_member_of_private_club_sees_no_meetings(make_club, alice, charlie, as_charlie, make_meeting):
    club = make_club("Closing")
    bring_in(club, charlie, status="pending")
    meeting = make_meeting(club=club)
    club.update_club(by=alice, visibility="private")
    assert ok(as_charlie.get(f"{CLUBS}{club.pk}/"))["next_meeting"] is None
    assert as_charlie.get(url(meeting)).status_code == 403


def test_members_are_notified_of_new_and_changed_meetings(make_meeting, as_moe, as_bob, moe, bob):
    meeting = make_meeting(title="Tea", starts_at=datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC))
    assert notified("meeting_new") == [("moe", "Tea"), ("bob", "Tea")]
    ok(as_moe.patch(url(meeting), {"agenda": "All of it", "notes": "None", "capacity": 9, "title": "Tea"}))
    assert notified("meeting_changed") == []
    ok(as_moe.patch(url(meeting), {"starts_at": "2027-06-02T18:00:00Z"}))
    ok(as_moe.patch(url(meeting), {"place": "Café"}))
    ok(as_moe.patch(url(meeting), {"status": "cancelled"}))
    assert notified("meeting_changed") == [("alice", "Tea"), ("bob", "Tea")] * 3
    texts = [row["text"] for row in ok(as_bob.get("/api/v1/users/me/notifications/"))["results"]]
    assert "cancelled" in texts[0]
    assert "London time" in texts[-1]
    assert as_moe.delete(url(meeting)).status_code == 204
    # It was cancelled before.
    assert len(notified("meeting_changed")) == 6


def test_past_meeting_notifies_nobody(make_meeting, as_moe):
    meeting = make_meeting(days=-3)
    ok(as_moe.patch(url(meeting), {"place": "Café"}))
    as_moe.delete(url(meeting))
    assert notified("meeting_new") == notified("meeting_changed") == []


def test_deleting_upcoming_meeting_notifies_members(make_meeting, as_moe, as_bob):
    meeting = make_meeting()
    as_moe.delete(url(meeting))
    assert notified("meeting_changed") == [("alice", "Tea"), ("bob", "Tea")]
    assert "cancelled" in ok(as_bob.get("/api/v1/users/me/notifications/"))["results"][0]["text"]


def reminders_at(moment):
    """Return who has been reminded by the time `moment`."""
    with time_machine.travel(moment, tick=False):
        return [name for name, _title in notified("meeting_reminder")]


def test_reminders_are_sent_seven_days_and_one_day_before(make_meeting, as_bob, as_moe):
    meeting = make_meeting(days=10)
    rsvp(as_bob, meeting, "no")
    rsvp(as_moe, meeting, "maybe")
    minute = datetime.timedelta(minutes=1)
    assert reminders_at(meeting.starts_at - 7 * DAY - minute) == []
    # Members who answered no are not reminded; those without an answer are.
    assert reminders_at(meeting.starts_at - 7 * DAY + minute) == ["alice", "moe"]
    assert reminders_at(meeting.starts_at - 6 * DAY) == ["alice", "moe"]
    assert reminders_at(meeting.starts_at - DAY - minute) == ["alice", "moe"]
    assert reminders_at(meeting.starts_at - DAY + minute) == ["alice", "moe"] * 2
    assert reminders_at(meeting.starts_at + 30 * DAY) == ["alice", "moe"] * 2


def test_moved_meeting_moves_its_reminders(make_meeting, alice):
    meeting = make_meeting(days=10)
    old = meeting.starts_at
    meeting.update_meeting(by=alice, starts_at=old + 10 * DAY)
    assert reminders_at(old - DAY + datetime.timedelta(minutes=1)) == []
    assert len(reminders_at(old + 4 * DAY)) == 3
    # Moved there and back: no second reminder for the same time.
    with time_machine.travel(old + 4 * DAY, tick=False):
        meeting.update_meeting(by=alice, starts_at=old + 11 * DAY)
        meeting.update_meeting(by=alice, starts_at=old + 10 * DAY)
    assert len(reminders_at(old + 5 * DAY)) == 3
    assert len(reminders_at(old + 9.5 * DAY)) == 6


def test_repeated_reminder_task_notifies_once(make_meeting):
    meeting = make_meeting(days=10)
    at = meeting.starts_at - 7 * DAY + datetime.timedelta(minutes=1)
    assert len(reminders_at(at)) == 3
    QueuedTask.objects.filter(status="SUCCESSFUL").update(status="READY", run_after=at)
    assert len(reminders_at(at)) == 3


@pytest.mark.parametrize("end", ["cancelled", "removed"])
def test_cancelled_or_deleted_meeting_has_no_reminder(make_meeting, alice, end):
    meeting = make_meeting(days=10)
    if end == "cancelled":
        meeting.update_meeting(by=alice, status="cancelled")
    else:
        meeting.delete_meeting(by=alice)
    assert reminders_at(meeting.starts_at - datetime.timedelta(hours=1)) == []


def test_short_notice_meeting_gets_remaining_reminders(make_meeting):
    near, nearer = make_meeting(days=3), make_meeting(days=0.5)
    assert len(reminders_at(near.starts_at - datetime.timedelta(hours=23))) == 3
    assert reminders_at(nearer.starts_at)[3:] == []


def test_late_reminders_are_sent_once(make_meeting):
    """After a week without a worker there is one reminder, and none of a meeting that has started."""
    meeting = make_meeting(days=10)
    assert len(reminders_at(meeting.starts_at - datetime.timedelta(hours=5))) == 3
    other = make_meeting(days=10)
    assert len(reminders_at(other.starts_at + datetime.timedelta(hours=5))) == 3


def test_reminder_follows_changed_zone_rules(make_meeting, without_summer_time):
    """The reminder checks whether the rules of the zone have changed."""
    with time_machine.travel(datetime.datetime(2027, 5, 20, tzinfo=datetime.UTC), tick=False):
        meeting = make_meeting(starts_at=datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC))
    with without_summer_time:
        reminders_at(datetime.datetime(2027, 5, 25, 18, 1, tzinfo=datetime.UTC))
        meeting.refresh_from_db()
        assert meeting.starts_at.hour == 19
        assert len(reminders_at(datetime.datetime(2027, 5, 25, 19, 1, tzinfo=datetime.UTC))) == 3


def test_each_change_records_one_event(make_meeting, as_moe, moe, bob, club):
    Event.objects.all().delete()
    meeting = make_meeting(days=-2)
    ok(as_moe.patch(url(meeting), {"title": "Late tea"}))
    ok(as_moe.patch(url(meeting), {"title": "Late tea"}))
    as_moe.patch(url(meeting), {"title": "x", "entry": 10**9})
    as_moe.put(url(meeting, "attendance/"), {"attended": [bob.pk]})
    as_moe.put(url(meeting, "attendance/"), {"attended": [10**9]})
    ok(as_moe.patch(url(meeting), {"status": "cancelled"}))
    as_moe.delete(url(meeting))
    as_moe.delete(url(meeting))
    verbs = list(Event.objects.order_by("id").values_list("verb", "object_title", "club"))
    assert verbs == [
        ("meeting.created", "Tea", club.pk),
        ("meeting.changed", "Late tea", club.pk),
        ("meeting.attendance_noted", "Late tea", club.pk),
        ("meeting.cancelled", "Late tea", club.pk),
        ("meeting.deleted", "Late tea", club.pk),
    ]
