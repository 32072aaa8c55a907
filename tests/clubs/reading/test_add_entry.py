"""Adding books to a reading list."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from tests.clubs.reading.helpers import codes, status_and_code, titles, url

AddBook = Callable[..., Book]


def test_create_by_member_proposes_a_book(as_bob: APIClient, bob: User, club: Club, add_book: AddBook) -> None:
    book = add_book("Emma")
    response = as_bob.post(url(club), {"book": book.pk, "note": "Short chapters."})
    assert response.status_code == 201, response.content
    data = response.json()
    assert (data["status"], data["position"], data["note"]) == ("proposed", 1, "Short chapters.")
    assert data["added_by"]["id"] == bob.pk
    assert data["book"]["id"] == book.pk
    assert as_bob.get(url(club, data["id"])).json() == data


def test_create_appends_to_the_list(as_bob: APIClient, club: Club, add_book: AddBook) -> None:
    for title in ("A", "B", "C"):
        as_bob.post(url(club), {"book": add_book(title).pk})
    assert titles(as_bob.get(url(club))) == ["A", "B", "C"]


@pytest.mark.parametrize("status", ["planned", "reading", "finished", "dropped"])
def test_create_with_other_status_requires_moderator(
    as_bob: APIClient, as_moe: APIClient, club: Club, add_book: AddBook, status: str
) -> None:
    book = add_book()
    assert status_and_code(as_bob.post(url(club), {"book": book.pk, "status": status})) == (403, "moderators_only")
    response = as_moe.post(url(club), {"book": book.pk, "status": status})
    assert (response.status_code, response.json()["status"]) == (201, status)
    assert (Entry.objects.get().finished_on is not None) == (status == "finished")


def test_create_with_explicit_proposed_status(as_bob: APIClient, club: Club, add_book: AddBook) -> None:
    assert as_bob.post(url(club), {"book": add_book().pk, "status": "proposed"}).status_code == 201


def test_create_duplicate_conflicts(as_bob: APIClient, as_moe: APIClient, club: Club, add_book: AddBook) -> None:
    book = add_book()
    first = as_moe.post(url(club), {"book": book.pk, "status": "planned"}).json()
    again = as_bob.post(url(club), {"book": book.pk})
    assert status_and_code(again) == (409, "already_listed")
    assert again.json()["entry"] == first["id"]
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"book": "required"}),
        ({"book": None}, {"book": "null"}),
        ({"book": 999_999}, {"book": "does_not_exist"}),
        ({"book": -1}, {"book": "does_not_exist"}),
        ({"book": True}, {"book": "invalid"}),
        ({"book": 1.5}, {"book": "invalid"}),
        ({"book": "Emma"}, {"book": "invalid"}),
        ({"book": [1]}, {"book": "invalid"}),
        ({"book": {"id": 1}}, {"book": "invalid"}),
        ({"status": "maybe"}, {"status": "invalid_choice"}),
        ({"note": "x" * 1001}, {"note": "max_length"}),
        ({"note": "\u200b"}, {"note": "invisible"}),
        ({"note": "a\x00"}, {"note": "null_characters_not_allowed"}),
    ],
)
def test_create_with_invalid_values_fails(
    as_bob: APIClient, club: Club, add_book: AddBook, body: dict[str, Any], errors: dict[str, str]
) -> None:
    sent = body if "book" in errors else {"book": add_book().pk} | body
    assert codes(as_bob.post(url(club), sent)) == errors
    assert not Entry.objects.exists()


def test_create_with_empty_note(as_bob: APIClient, club: Club, add_book: AddBook) -> None:
    assert as_bob.post(url(club), {"book": add_book().pk, "note": ""}).json()["note"] == ""


def test_create_with_same_idempotency_key_adds_once(as_bob: APIClient, club: Club, add_book: AddBook) -> None:
    body, key = {"book": add_book().pk}, {"Idempotency-Key": "k1"}
    first = as_bob.post(url(club), body, headers=key)
    second = as_bob.post(url(club), body, headers=key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second["Idempotency-Replayed"] == "true"


def test_create_requires_membership(
    client_of: Callable[[User | None], APIClient],
    anonymous: APIClient,
    as_charlie: APIClient,
    bob: User,
    alice: User,
    club: Club,
    private_club: Club,
    add_book: AddBook,
) -> None:
    body = {"book": add_book().pk}
    assert anonymous.post(url(club), body).status_code == 401
    assert anonymous.post(url(private_club), body).status_code == 401
    assert status_and_code(as_charlie.post(url(club), body)) == (403, "members_only")
    assert status_and_code(as_charlie.post(url(private_club), body)) == (404, "not_found")
    as_bob = client_of(bob)
    club.get_membership(bob).remove(by=alice)
    assert status_and_code(as_bob.post(url(club), body)) == (403, "members_only")
    assert not Entry.objects.exists()
