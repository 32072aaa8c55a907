"""The close of a date poll, and the meeting that it creates."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from activity.models import Event
from catalog.models import Book
from clubs.models import Entry
from core.tasks.worker import run_pending
from meetings.models import DatePoll, Meeting
from tests.clubs.helpers import bad_fields, problem
from tests.meetings.date_polls.helpers import answer, create, let_expire, option_ids, url
from tests.meetings.helpers import check_seats, counts, notified, ok

pytestmark = pytest.mark.django_db


def close(client, poll, **sent):
    return ok(client.post(url(poll.club, poll, "close/"), sent))


def rsvps(client, club, meeting):
    rows = ok(client.get(f"/api/v1/clubs/{club.pk}/meetings/{meeting}/rsvps/"))["results"]
    return [(row["user"]["username"], row["answer"], row["waitlist_position"]) for row in rows]


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        (["0", "1", "1"], 1),
        # Of equal yes, that with more maybe; then the earliest, wherever it was in the list.
        (["01", "01 2", "2 1"], 1),
        (["0", "1", "2"], 2),
        (["0 2", "2 0"], 2),
        # A yes counts more than any number of maybe.
        (["0", " 1", " 1", " 1"], 0),
        ([" 1"], 1),
    ],
)
def test_date_with_most_yes_is_chosen(club, members, as_moe, answers, chosen):
    poll = create(club, (12, 11, 10))
    for client, text in zip(members.values(), answers, strict=False):
        yes, _space, maybe = text.partition(" ")
        answer(client, poll, yes, maybe)
    closed = close(as_moe, poll)
    assert (closed["status"], closed["outcome"]) == ("closed", "chosen")
    meeting = Meeting.objects.get(pk=closed["meeting"])
    assert meeting.starts_at == poll.options.get(pk=option_ids(poll)[chosen]).starts_at


def test_meeting_has_the_fields_of_the_poll(club, members, as_moe, as_bob, alice):
    entry = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["A"]), by=alice)
    details = {"timezone": "America/Sao_Paulo", "duration_minutes": 90, "place": "Library", "url": "https://a.example"}
    poll = create(club, **details, entry_id=entry.pk)
    answer(members["ann"], poll, "1")
    answer(members["ben"], poll, "1", maybe="0")
    answer(members["cid"], poll, "0", maybe="1")
    answer(members["dan"], poll)
    closed = close(as_moe, poll)
    meeting = ok(as_bob.get(f"/api/v1/clubs/{club.pk}/meetings/{closed['meeting']}/"))
    assert {name: meeting[name] for name in details} == details
    assert (meeting["title"], meeting["entry"], meeting["capacity"]) == ("When?", entry.pk, None)
    assert meeting["starts_at"] == closed["options"][1]["starts_at"]
    assert meeting["counts"] == counts(yes=2, maybe=1)
    assert rsvps(as_bob, club, closed["meeting"]) == [
        ("ann", "yes", None),
        ("ben", "yes", None),
        ("cid", "maybe", None),
    ]
    assert {name for name, _title in notified("meeting_new")} == {"alice", "bob", "ann", "ben", "cid", "dan"}
    call_command("verify_counters")
    check_seats()


def test_seats_go_by_the_order_of_answering(club, members, as_moe, as_bob):
    poll = create(club, capacity=2)
    for name in ("dan", "cid", "ben", "ann"):
        answer(members[name], poll, "0")
    answer(members["cid"], poll, "0", maybe="1")
    answer(as_bob, poll, "1", maybe="0")
    meeting = close(as_moe, poll)["meeting"]
    assert rsvps(as_bob, club, meeting) == [
        ("dan", "yes", None),
        ("ben", "yes", None),
        ("ann", "waitlisted", 1),
        ("cid", "waitlisted", 2),
    ]
    call_command("verify_counters")
    check_seats()


@pytest.mark.parametrize("empty_answers", [False, True])
def test_without_answers_there_is_no_meeting(club, poll, members, as_moe, empty_answers):
    for client in members.values() if empty_answers else ():
        answer(client, poll)
    closed = close(as_moe, poll)
    assert (closed["status"], closed["outcome"], closed["meeting"]) == ("closed", "no_answers", None)
    assert closed["closed_at"] is not None
    assert not Meeting.objects.exists()


def test_moderator_may_choose_the_date(club, poll, members, as_moe, as_bob):
    answer(members["ann"], poll, "0")
    answer(members["ben"], poll, "0", maybe="2")
    closed = close(as_moe, poll, option=option_ids(poll)[2])
    assert rsvps(as_bob, club, closed["meeting"]) == [("ben", "maybe", None)]
    other = create(club)
    assert close(as_moe, other, option=option_ids(other)[1])["outcome"] == "chosen"
    assert close(as_moe, create(club), option=None)["outcome"] == "no_answers"


def test_unknown_date_is_rejected(club, poll, as_moe):
    other = option_ids(create(club))[0]
    for option, code in ((other, "does_not_exist"), (10**12, "does_not_exist"), (0, "min_value"), ("x", "invalid")):
        assert bad_fields(as_moe.post(url(club, poll, "close/"), {"option": option})) == {"option": code}
    assert ok(as_moe.get(url(club, poll)))["status"] == "open"


def test_second_close_is_rejected(club, poll, members, as_moe):
    answer(members["ann"], poll, "0")
    close(as_moe, poll)
    problem(as_moe.post(url(club, poll, "close/")), 409, "poll_closed")
    due = create(club)
    let_expire(due)
    problem(as_moe.post(url(club, due, "close/")), 409, "poll_closed")
    assert Meeting.objects.count() == 1


def test_task_closes_the_poll_when_it_is_due(club, poll, members, as_bob):
    answer(members["ann"], poll, "2")
    run_pending()
    assert DatePoll.objects.get().status == "open"
    let_expire(poll)
    Event.objects.all().delete()
    run_pending()
    run_pending()
    meeting = Meeting.objects.get()
    assert meeting.starts_at == poll.options.get(pk=option_ids(poll)[2]).starts_at
    assert meeting.created_by is None
    verbs = Event.objects.order_by("pk").values_list("verb", "actor")
    assert list(verbs) == [("date_poll.closed", None), ("meeting.created", None)]
    assert rsvps(as_bob, club, meeting.pk) == [("ann", "yes", None)]
    assert ("ann", "When?") in notified("meeting_new")


@pytest.mark.parametrize("rest", ["list", "detail"])
def test_due_poll_is_shown_as_closed_before_the_task_has_run(club, poll, members, as_bob, rest):
    answer(members["ann"], poll, "0")
    let_expire(poll)
    for _ in range(2):
        shown = ok(as_bob.get(url(club, poll)))
        shown = shown if rest == "detail" else ok(as_bob.get(url(club)))["results"][0]
        assert (shown["status"], shown["outcome"]) == ("closed", "chosen")
    run_pending()
    assert Meeting.objects.count() == 1


def test_deleted_poll_is_not_closed(club, poll, members, as_moe):
    answer(members["ann"], poll, "0")
    let_expire(poll)
    DatePoll.objects.update(closes_at=timezone.now() + timedelta(days=1))
    ok(as_moe.delete(url(club, poll)), 204)
    run_pending()
    assert not Meeting.objects.exists()


def test_deleted_entry_is_not_in_the_meeting(club, members, as_moe, alice):
    entry = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["A"]), by=alice)
    poll = create(club, entry_id=entry.pk)
    answer(members["ann"], poll, "0")
    ok(as_moe.delete(f"/api/v1/clubs/{club.pk}/books/{entry.pk}/"), 204)
    assert close(as_moe, poll)["entry"] is None
    assert Meeting.objects.get().entry is None


def test_former_member_holds_no_seat(club, poll, members, as_moe, as_bob):
    for name in ("ann", "ben"):
        answer(members[name], poll, "0")
    ok(members["ann"].post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert rsvps(as_bob, club, close(as_moe, poll)["meeting"]) == [("ben", "yes", None)]
