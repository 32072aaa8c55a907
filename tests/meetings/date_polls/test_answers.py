"""Answers to date polls."""

import pytest

from accounts.blocks import Block
from accounts.deletion import erase
from clubs.models import Membership
from meetings.models import DateAnswer
from tests.clubs.helpers import bad_fields, problem
from tests.meetings.date_polls.helpers import answer, create, let_expire, option_ids, url
from tests.meetings.helpers import ok

pytestmark = pytest.mark.django_db


def numbers(client, poll):
    """Return (yes, maybe) of each date, and how many members have answered."""
    shown = ok(client.get(url(poll.club, poll)))
    return [(option["yes"], option["maybe"]) for option in shown["options"]], shown["answered_count"]


def answered(client, poll):
    return [row["user"]["username"] for row in ok(client.get(url(poll.club, poll, "answers/")))["results"]]


def test_answer_can_be_changed_and_withdrawn(club, poll, as_bob, as_alice):
    first, second, third = option_ids(poll)
    assert answer(as_bob, poll, "20", maybe="1") == {"yes": [first, third], "maybe": [second]}
    assert ok(as_bob.get(url(club, poll)))["my_answer"] == {"yes": [first, third], "maybe": [second]}
    assert ok(as_alice.get(url(club, poll)))["my_answer"] is None
    assert numbers(as_alice, poll) == ([(1, 0), (0, 1), (1, 0)], 1)
    assert answer(as_bob, poll, maybe="0") == {"yes": [], "maybe": [first]}
    assert numbers(as_alice, poll) == ([(0, 1), (0, 0), (0, 0)], 1)
    for _ in range(2):
        ok(as_bob.delete(url(club, poll, "answer/")), 204)
    assert numbers(as_alice, poll) == ([(0, 0)] * 3, 0)
    assert ok(as_bob.get(url(club, poll)))["my_answer"] is None


def test_answer_may_be_empty(club, poll, as_bob):
    assert answer(as_bob, poll) == {"yes": [], "maybe": []}
    assert ok(as_bob.get(url(club, poll)))["my_answer"] == {"yes": [], "maybe": []}
    assert numbers(as_bob, poll) == ([(0, 0)] * 3, 1)
    assert ok(as_bob.put(url(club, poll, "answer/"), {"maybe": []})) == {"yes": [], "maybe": []}


@pytest.mark.parametrize(
    ("yes", "maybe", "bad"),
    [
        ([0], [1, 0], {"maybe.1": "duplicate"}),
        ([0, 0], [], {"yes.1": "duplicate"}),
        ([], [2, 2], {"maybe.1": "duplicate"}),
        ([9], [], {"yes.0": "does_not_exist"}),
        ([], [0, 9], {"maybe.1": "does_not_exist"}),
    ],
)
def test_invalid_dates_are_rejected(club, poll, as_bob, yes, maybe, bad):
    ids = dict(enumerate(option_ids(poll))) | {9: option_ids(create(club))[0]}
    sent = {"yes": [ids[n] for n in yes], "maybe": [ids[n] for n in maybe]}
    assert bad_fields(as_bob.put(url(club, poll, "answer/"), sent)) == bad
    assert not DateAnswer.objects.exists()


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"yes"}),
        ({"yes": "all"}, {"yes"}),
        ({"yes": None}, {"yes"}),
        ({"yes": [0]}, {"yes.0"}),
        ({"maybe": ["x"]}, {"maybe.0"}),
        ({"yes": [10**30]}, {"yes.0"}),
        ({"yes": list(range(1, 22))}, {"yes"}),
    ],
)
def test_invalid_answer_is_rejected(club, poll, as_bob, sent, fields):
    assert set(bad_fields(as_bob.put(url(club, poll, "answer/"), sent))) == fields


def test_answers_are_listed_in_the_order_of_answering(club, poll, as_bob, members):
    first, second, _third = option_ids(poll)
    for name in ("ben", "ann", "cid"):
        answer(members[name], poll, "0")
    assert answered(as_bob, poll) == ["ben", "ann", "cid"]
    # The same answer keeps its place, a changed one moves to the end.
    answer(members["ben"], poll, "0")
    answer(members["ann"], poll, "0", maybe="1")
    assert answered(as_bob, poll) == ["ben", "cid", "ann"]
    row = ok(as_bob.get(url(club, poll, "answers/")))["results"][2]
    assert row == {"user": row["user"], "yes": [first], "maybe": [second], "answered_at": row["answered_at"]}
    page = ok(as_bob.get(url(club, poll, "answers/"), {"page_size": 2}))
    assert [row["user"]["username"] for row in ok(as_bob.get(page["next"]))["results"]] == ["ann"]


def test_answer_to_a_closed_poll_is_rejected(club, poll, as_bob, as_moe):
    due = create(club)
    answer(as_bob, poll, "0")
    answer(as_bob, due, "0")
    ok(as_moe.post(url(club, poll, "close/")))
    let_expire(due)
    for closed in (poll, due):
        assert (
            problem(as_bob.put(url(club, closed, "answer/"), {"yes": []}), 409, "poll_closed")["date_poll"] == closed.pk
        )
        problem(as_bob.delete(url(club, closed, "answer/")), 409, "poll_closed")
        assert answered(as_bob, closed) == ["bob"]


def test_blocks_hide_names_but_not_numbers(poll, members, as_bob, bob, as_moe):
    answer(members["ann"], poll, "0")
    answer(as_bob, poll, "0")
    Block.objects.block(on=bob, by=DateAnswer.objects.earliest("pk").user)
    assert answered(as_bob, poll) == ["bob"]
    assert answered(members["ann"], poll) == ["ann"]
    assert answered(as_moe, poll) == ["ann", "bob"]
    assert numbers(as_bob, poll) == ([(2, 0), (0, 0), (0, 0)], 2)


@pytest.mark.parametrize("way", ["leaves", "removed", "banned", "closes the account"])
def test_leaving_withdraws_answers_to_open_polls(club, poll, members, as_alice, as_bob, way):
    closed = create(club)
    for each in (poll, closed):
        answer(members["ann"], each, "0")
    ok(as_alice.post(url(club, closed, "close/")))
    row = Membership.objects.get(club=club, user__username="ann")
    if way == "leaves":
        ok(members["ann"].post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    elif way == "removed":
        ok(as_alice.delete(f"/api/v1/clubs/{club.pk}/members/{row.user_id}/"), 204)
    elif way == "banned":
        ok(as_alice.patch(f"/api/v1/clubs/{club.pk}/members/{row.user_id}/", {"status": "banned"}))
    else:
        erase(row.user)
    assert numbers(as_bob, poll) == ([(0, 0)] * 3, 0)
    assert answered(as_bob, closed) == ([] if way == "closes the account" else ["ann"])


def test_answering_counts_as_activity(club, poll, members, as_alice):
    row = Membership.objects.get(club=club, user__username="ann")
    assert row.last_active_at is None
    answer(members["ann"], poll, "0")
    row.refresh_from_db()
    assert row.last_active_at == DateAnswer.objects.get().answered_at
    ok(members["ann"].delete(url(club, poll, "answer/")), 204)
    row.refresh_from_db()
    assert row.last_active_at is None
    answer(members["ann"], poll, "0")
    ok(as_alice.delete(url(club, poll)), 204)
    row.refresh_from_db()
    assert row.last_active_at is None


def test_stale_if_match_is_rejected(club, poll, as_bob):
    tag = as_bob.get(url(club, poll))["ETag"]
    sent = {"yes": option_ids(poll)[:1]}
    assert as_bob.put(url(club, poll, "answer/"), sent, headers={"If-Match": tag}).status_code == 200
    assert as_bob.put(url(club, poll, "answer/"), {"yes": []}, headers={"If-Match": tag}).status_code == 412
