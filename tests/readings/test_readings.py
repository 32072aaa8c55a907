"""Readings that users enter, and their rules."""

import json

import pytest

from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from readings.models import Reading
from tests.clubs.helpers import bad_fields, problem
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
READINGS = "/api/v1/users/me/readings/"


def test_own_reading_has_exactly_these_fields(as_bob, book):
    body = {"book": book.pk, "state": "finished", "started_on": "2019-01-02", "finished_on": "2019-02-03"}
    response = as_bob.post(READINGS, body)
    assert response.status_code == 201, response.content
    reading = response.json()
    assert reading == {
        "id": reading["id"],
        "book": {"id": book.pk, "title": "Emma", "author": "Jane Austen", "cover_url": None},
        "state": "finished",
        "percent": 100,
        "started_on": "2019-01-02",
        "finished_on": "2019-02-03",
        "source": "own",
        "entry": None,
        "created_at": reading["created_at"],
    }
    assert as_bob.get(response["Location"]).json() == reading


@pytest.mark.parametrize(
    ("body", "state", "percent"),
    [
        ({}, "reading", 0),
        ({"finished_on": "2020-01-01"}, "finished", 100),
        ({"percent": 100}, "finished", 100),
        ({"percent": 40}, "reading", 40),
        ({"state": "stopped", "percent": 40, "finished_on": "2020-01-01"}, "stopped", 40),
        ({"state": "finished"}, "finished", 100),
    ],
)
def test_state_follows_from_what_is_sent(as_bob, book, body, state, percent):
    reading = as_bob.post(READINGS, {"book": book.pk, **body}).json()
    assert (reading["state"], reading["percent"]) == (state, percent)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"book": 10**9}, {"book": "does_not_exist"}),
        ({"state": "lost"}, {"state": "invalid_choice"}),
        ({"state": "finished", "percent": 40}, {"percent": "finished"}),
        ({"state": "stopped", "percent": 100}, {"percent": "finished"}),
        ({"state": "reading", "finished_on": "2020-01-01"}, {"finished_on": "not_finished"}),
        ({"finished_on": "2100-01-01"}, {"finished_on": "in_future"}),
        ({"finished_on": "9999-12-31"}, {"finished_on": "in_future"}),
        ({"started_on": "2100-01-01"}, {"started_on": "in_future"}),
        ({"started_on": "2020-01-02", "finished_on": "2020-01-01"}, {"finished_on": "ends_before_start"}),
        ({"percent": 101}, {"percent": "max_value"}),
    ],
)
def test_invalid_reading_is_rejected(as_bob, book, body, errors):
    assert bad_fields(as_bob.post(READINGS, {"book": book.pk, **body})) == errors
    assert not Reading.objects.exists()


def test_reading_is_changed_and_deleted(as_bob, book):
    reading = as_bob.post(READINGS, {"book": book.pk, "percent": 10})
    address = reading["Location"]
    finished = as_bob.patch(address, {"percent": 100}).json()
    assert finished["state"] == "finished"
    assert finished["finished_on"] is not None
    assert as_bob.patch(address, {"finished_on": "2020-01-01"}).json()["finished_on"] == "2020-01-01"
    again = as_bob.patch(address, {"state": "reading", "percent": 30}).json()
    assert (again["state"], again["percent"], again["finished_on"]) == ("reading", 30, None)
    assert as_bob.delete(address).status_code == 204
    problem(as_bob.get(address), 404, "not_found")


def test_book_may_be_read_several_times(as_bob, book, readings):
    for day in ("2010-01-01", "2020-01-01"):
        as_bob.post(READINGS, {"book": book.pk, "finished_on": day})
    assert [row["finished_on"] for row in readings(as_bob, book=book.pk)] == ["2010-01-01", "2020-01-01"]
    assert readings(as_bob, state="reading") == []


def test_readings_are_the_owners_alone(as_bob, as_alice, anonymous, book, readings):
    address = as_bob.post(READINGS, {"book": book.pk})["Location"]
    assert readings(as_alice) == []
    for response in (as_alice.get(address), as_alice.patch(address, {"percent": 5}), as_alice.delete(address)):
        problem(response, 404, "not_found")
    assert anonymous.get(READINGS).status_code == 401


def test_list_takes_three_queries(as_bob, book, django_assert_num_queries):
    for _reading in range(3):
        as_bob.post(READINGS, {"book": book.pk})
    # Session with user; readings; their books.
    with django_assert_num_queries(3):
        assert len(as_bob.get(READINGS).json()["results"]) == 3


def test_stale_etag_is_rejected(as_bob, book):
    address = as_bob.post(READINGS, {"book": book.pk})["Location"]
    tag = as_bob.get(address)["ETag"]
    assert as_bob.patch(address, {"percent": 5}, HTTP_IF_MATCH=tag).status_code == 200
    assert as_bob.patch(address, {"percent": 9}, HTTP_IF_MATCH=tag).status_code == 412
    assert as_bob.get(address).json()["percent"] == 5


def test_readings_follow_their_book_through_a_merge(as_bob, moe, book):
    other = Book.create_book(by=None, title="Emma", authors=["J. Austen"])
    pk = as_bob.post(READINGS, {"book": other.pk}).json()["id"]
    merge = merge_books(target=book, source=other, by=moe, reason="The same work")
    assert Reading.objects.get(pk=pk).book_id == book.pk
    undo_merge(merge, by=moe, reason="Two works after all")
    assert Reading.objects.get(pk=pk).book_id == other.pk


def test_readings_are_exported_and_deleted_with_the_account(as_bob, book):
    as_bob.post(READINGS, {"book": book.pk, "finished_on": "2020-01-01"})
    export = json.loads(as_bob.get("/api/v1/users/me/export/").getvalue())
    assert [(row["book"], row["finished_on"]) for row in export["readings"]] == [(book.pk, "2020-01-01")]
    assert as_bob.delete("/api/v1/users/me/", {"password": PASSWORD}).status_code == 204
    assert not Reading.objects.exists()


def test_book_with_readings_cannot_be_deleted(as_bob, as_alice):
    address = as_alice.post("/api/v1/books/", {"title": "Notes", "author": "A"})["Location"]
    as_bob.post(READINGS, {"book": int(address.rstrip("/").rpartition("/")[2])})
    problem(as_alice.delete(address), 409, "book_in_use")
