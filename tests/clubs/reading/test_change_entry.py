"""Updating entries: status, position, dates and notes."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Entry, EntryChange
from clubs.reading.choices import TRANSITIONS, EntryStatus
from tests.clubs.reading.helpers import assert_counted, codes, status_and_code, titles, url

PutOnList = Callable[..., Entry]

# Written out here, independently of the table in the code.
LEGAL = {
    ("proposed", "planned"),
    ("planned", "proposed"),
    ("planned", "reading"),
    ("reading", "planned"),
    ("reading", "finished"),
    ("finished", "reading"),
    ("proposed", "dropped"),
    ("planned", "dropped"),
    ("reading", "dropped"),
    ("finished", "dropped"),
    ("dropped", "proposed"),
    ("dropped", "planned"),
}


def test_transitions_match_the_contract() -> None:
    assert {(now.value, then.value) for now, following in TRANSITIONS.items() for then in following} == LEGAL


@pytest.mark.parametrize(("now", "then"), list(product(EntryStatus.values, EntryStatus.values)))
def test_status_transition_is_saved_or_rejected(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, now: str, then: str
) -> None:
    entry = put_on_list("Emma", status=now)
    response = as_moe.patch(url(club, entry), {"status": then})
    if (now, then) in LEGAL or now == then:
        assert (response.status_code, response.json()["status"]) == (200, then)
    else:
        assert status_and_code(response) == (409, "illegal_transition")
    entry = Entry.objects.get()
    assert entry.status == (then if response.status_code == 200 else now)
    assert (entry.finished_on is not None) == (entry.status == "finished")
    assert_counted()


def test_illegal_transition_message_is_translated(as_moe: APIClient, club: Club, put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma", status="finished")
    response = as_moe.patch(url(club, entry), {"status": "planned"}, headers={"Accept-Language": "pt-BR"}).json()
    assert response["detail"] == "Um livro não pode passar de terminado para planejado."
    assert response["allowed"] == ["dropped", "reading"]
    response = as_moe.post(f"/api/v1/clubs/{club.pk}/books/", {"book": 0}, headers={"Accept-Language": "pt-BR"}).json()
    assert [error["detail"] for error in response["errors"]] == ["Este livro não existe."]


def test_unknown_status_is_rejected(as_moe: APIClient, club: Club, put_on_list: PutOnList) -> None:
    assert codes(as_moe.patch(url(club, put_on_list("Emma")), {"status": "lost"})) == {"status": "invalid_choice"}


@pytest.mark.parametrize(
    ("start", "to", "order"),
    [
        ("A", 1, "ABCDE"),
        ("A", 3, "BCADE"),
        ("A", 5, "BCDEA"),
        ("C", 1, "CABDE"),
        ("C", 5, "ABDEC"),
        ("E", 1, "EABCD"),
        ("E", 4, "ABCED"),
    ],
)
def test_position_change_shifts_other_entries(
    as_moe: APIClient, club: Club, private_club: Club, put_on_list: PutOnList, start: str, to: int, order: str
) -> None:
    entries = {title: put_on_list(title) for title in "ABCDE"}
    untouched = put_on_list("Other", to=private_club)
    response = as_moe.patch(url(club, entries[start]), {"position": to})
    assert (response.status_code, response.json()["position"]) == (200, to)
    assert titles(as_moe.get(url(club))) == list(order)
    untouched.refresh_from_db()
    assert untouched.position == 1


@pytest.mark.parametrize(
    ("position", "code"),
    [(0, "min_value"), (-1, "min_value"), (3, "outside_list"), (10**18, "outside_list"), (10**30, "max_value")]
    + [("first", "invalid"), (None, "null"), (1.5, "invalid"), (True, "invalid")],
)
def test_position_out_of_range_is_rejected(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, position: Any, code: str
) -> None:
    entry = put_on_list("A")
    put_on_list("B")
    assert codes(as_moe.patch(url(club, entry), {"position": position})) == {"position": code}
    assert titles(as_moe.get(url(club))) == ["A", "B"]


def test_several_fields_can_be_updated_together(as_moe: APIClient, club: Club, put_on_list: PutOnList) -> None:
    put_on_list("A")
    entry = put_on_list("B")
    body = {"status": "planned", "position": 1, "starts_on": "2027-01-01", "ends_on": "2027-01-01", "note": "Soon"}
    response = as_moe.patch(url(club, entry), body)
    assert response.status_code == 200
    assert body.items() <= response.json().items()
    assert as_moe.get(url(club, entry)).json() == response.json()


@pytest.mark.parametrize(
    "wrong", [{"status": "finished"}, {"position": 9}, {"ends_on": "2026-12-31"}, {"status": "lost"}]
)
def test_one_invalid_field_rejects_the_whole_update(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, wrong: dict[str, Any]
) -> None:
    put_on_list("A")
    entry = put_on_list("B")
    body = {"status": "planned", "position": 1, "starts_on": "2027-01-01", "note": "Soon"} | wrong
    before = as_moe.get(url(club, entry)).json()
    assert as_moe.patch(url(club, entry), body).status_code in (400, 409)
    assert as_moe.get(url(club, entry)).json() == before
    assert EntryChange.objects.count() == 2


def test_end_before_start_is_rejected(as_moe: APIClient, club: Club, put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma")
    address = url(club, entry)
    assert as_moe.patch(address, {"starts_on": "2027-03-01", "ends_on": "2027-03-31"}).status_code == 200
    assert codes(as_moe.patch(address, {"ends_on": "2027-02-28"})) == {"ends_on": "ends_before_start"}
    assert codes(as_moe.patch(address, {"starts_on": "2027-04-01"})) == {"starts_on": "ends_before_start"}
    assert as_moe.patch(address, {"starts_on": None, "ends_on": "2027-02-28"}).status_code == 200
    assert as_moe.patch(address, {"ends_on": None}).json()["ends_on"] is None


@pytest.mark.parametrize("day", ["2027-02-29", "0001-01-01", "9999-12-31", "tomorrow", 7, True, "2027-01-01T00:00:00Z"])
def test_invalid_date_is_rejected(as_moe: APIClient, club: Club, put_on_list: PutOnList, day: Any) -> None:
    assert list(codes(as_moe.patch(url(club, put_on_list("Emma")), {"starts_on": day}))) == ["starts_on"]


def test_read_only_fields_are_ignored(as_moe: APIClient, club: Club, put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma")
    before = as_moe.get(url(club, entry)).json()
    body = {"id": 9, "book": 9, "club": 9, "added_by": 9, "created_at": "2020-01-01T00:00:00Z", "members_finished": 9}
    response = as_moe.patch(url(club, entry), body)
    assert (response.status_code, response.json()) == (200, before)


def test_update_requires_moderator(
    anonymous: APIClient,
    as_bob: APIClient,
    as_charlie: APIClient,
    club: Club,
    private_club: Club,
    put_on_list: PutOnList,
    bob: User,
) -> None:
    for where, outsiders in ((club, (403, "moderators_only")), (private_club, (404, "not_found"))):
        entry = put_on_list("Emma", to=where, by=bob)
        assert anonymous.patch(url(where, entry), {"note": "x"}).status_code == 401
        assert status_and_code(as_charlie.patch(url(where, entry), {"note": "x"})) == outsiders
        assert status_and_code(as_bob.patch(url(where, entry), {"note": "x"})) == (403, "moderators_only")


def test_stale_if_match_fails(as_moe: APIClient, as_alice: APIClient, club: Club, put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma")
    etag = as_moe.get(url(club, entry))["ETag"]
    assert as_moe.patch(url(club, entry), {"note": "1"}, headers={"If-Match": etag}).status_code == 200
    assert status_and_code(as_moe.patch(url(club, entry), {"note": "2"}, headers={"If-Match": etag})) == (
        412,
        "precondition_failed",
    )
    assert as_moe.delete(url(club, entry), headers={"If-Match": etag}).status_code == 412
    etag = as_moe.get(url(club, entry))["ETag"]
    assert as_moe.delete(url(club, entry), headers={"If-Match": etag}).status_code == 204


def test_changes_are_recorded_in_the_history(
    as_bob: APIClient, as_moe: APIClient, bob: User, moe: User, club: Club, put_on_list: PutOnList
) -> None:
    put_on_list("A")
    EntryChange.objects.all().delete()
    entry = put_on_list("B", by=bob)
    as_moe.patch(url(club, entry), {"status": "planned", "position": 1, "note": "Soon", "starts_on": "2027-01-01"})
    as_moe.patch(url(club, entry), {"status": "planned", "note": "Soon"})
    as_moe.delete(url(club, entry))
    changes = EntryChange.objects.filter(club=club, book=entry.book).order_by("pk")
    rows = [(change.actor_id, change.field, change.old, change.new) for change in changes]
    assert rows[0] == (bob.pk, "status", "", "proposed")
    assert set(rows[1:-1]) == {
        (moe.pk, "status", "proposed", "planned"),
        (moe.pk, "position", "2", "1"),
        (moe.pk, "note", "", "Soon"),
        (moe.pk, "starts_on", "", "2027-01-01"),
    }
    assert rows[-1] == (moe.pk, "status", "planned", "")
    assert len(rows) == 6
