"""What date polls leave elsewhere: changes, the data export, and merges of books."""

import datetime
import json

import pytest

from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.models import Entry
from tests.clubs.changes import changed, read_all
from tests.meetings.date_polls.helpers import answer, create, let_expire, option_ids, url
from tests.meetings.helpers import ok

pytestmark = pytest.mark.django_db


def add_entry(club, title):
    book = Book.create_book(by=None, title=title, authors=["Jane Austen"])
    return Entry.add_entry(club=club, book=book, by=club.owner)


def test_changes_of_polls_are_recorded(club, as_bob, as_alice, as_moe):
    cursor = read_all(as_bob)[1]
    poll = create(club)
    rows, cursor = read_all(as_bob, cursor)
    found = next(row for row in rows if row["type"] == "date_poll")
    assert ok(as_bob.get(found["url"]))["id"] == found["id"] == poll.pk
    # An answer is a change for its user alone; the numbers of answers are counters.
    cursors = {client: read_all(client)[1] for client in (as_bob, as_alice)}
    answer(as_bob, poll, "0")
    assert changed(as_bob, cursors[as_bob]) == [("date_poll", poll.pk, False)]
    assert changed(as_alice, cursors[as_alice]) == []
    cursor = read_all(as_bob)[1]
    meeting = ok(as_moe.post(url(club, poll, "close/")))["meeting"]
    assert set(changed(as_bob, cursor)) == {("date_poll", poll.pk, False), ("meeting", meeting, False)}
    cursor = read_all(as_bob)[1]
    ok(as_moe.delete(f"/api/v1/clubs/{club.pk}/meetings/{meeting}/"), 204)
    assert set(changed(as_bob, cursor)) == {("date_poll", poll.pk, False), ("meeting", meeting, True)}
    cursor = read_all(as_bob)[1]
    ok(as_moe.delete(url(club, poll)), 204)
    assert changed(as_bob, cursor) == [("date_poll", poll.pk, True)]


def test_close_by_the_clock_is_a_change(club, poll, as_bob):
    cursor = read_all(as_bob)[1]
    let_expire(poll)
    assert ok(as_bob.get(url(club, poll)))["outcome"] == "no_answers"
    assert changed(as_bob, cursor) == [("date_poll", poll.pk, False)]


def test_export_has_polls_and_answers(club, poll, as_bob, as_alice):
    answer(as_bob, poll, "0", maybe="2")
    exported = json.loads(as_bob.get("/api/v1/users/me/export/").getvalue())
    row = exported["date_answers"][0]
    times = [f"{option.starts_at:%Y-%m-%dT%H:%M:%S}" for option in poll.options.order_by("pk")]
    assert (row["date_poll"], row["club"]) == (poll.pk, club.pk)
    assert [datetime.datetime.fromisoformat(at).strftime("%Y-%m-%dT%H:%M:%S") for at in row["yes"]] == times[:1]
    assert [at[:19] for at in row["maybe"]] == times[2:]
    exported = json.loads(as_alice.get("/api/v1/users/me/export/").getvalue())
    assert [row["id"] for row in exported["date_polls_opened"]] == [poll.pk]
    assert exported["date_answers"] == []


def test_poll_follows_its_entry_through_a_merge(club, moe, as_bob):
    source, target = add_entry(club, "Emma"), add_entry(club, "Emma, a novel")
    poll = create(club, entry_id=source.pk)
    cursor = read_all(as_bob)[1]
    merge = merge_books(target=target.book, source=source.book, by=moe, reason="The same work")
    assert ok(as_bob.get(url(club, poll)))["entry"] == target.pk
    assert ("date_poll", poll.pk, False) in changed(as_bob, cursor)
    undo_merge(merge, by=moe, reason="Two works after all")
    assert ok(as_bob.get(url(club, poll)))["entry"] == Entry.objects.get(club=club, book=source.book).pk


def test_retry_with_idempotency_key_creates_one_poll(club, poll, as_moe):
    sent = {
        "title": "When?",
        "options": [f"{option.starts_at:%Y-%m-%dT%H:%M:%SZ}" for option in poll.options.all()],
        "closes_at": f"{poll.closes_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    first, second = (as_moe.post(url(club), sent, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert len(option_ids(poll)) == len(first.json()["options"])
