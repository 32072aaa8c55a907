"""Reading list: visibility, fields and filters."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from tests.clubs.reading.helpers import codes, status_and_code, titles, url

PutOnList = Callable[..., Entry]


def test_list_is_ordered_by_position(anonymous: APIClient, club: Club, put_on_list: PutOnList) -> None:
    for title in ("A", "B", "C"):
        put_on_list(title)
    assert titles(anonymous.get(url(club))) == ["A", "B", "C"]
    first = anonymous.get(url(club), {"page_size": 2}).json()
    second = anonymous.get(first["next"]).json()
    assert [row["position"] for row in first["results"] + second["results"]] == [1, 2, 3]
    assert second["next"] is None


def test_entry_fields(as_bob: APIClient, club: Club, alice: User, put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma", note="First ten chapters.")
    Book.objects.filter(pk=entry.book_id).update(cover_url="https://covers.example.org/1.jpg")
    person = {"id": alice.pk, "username": "alice", "display_name": "Alice", "avatar_url": None}
    book = {"id": entry.book_id, "title": "Emma", "author": "Jane Austen"}
    response = as_bob.get(url(club, entry)).json()
    assert response.pop("created_at").endswith("Z")
    assert response == {
        "id": entry.pk,
        "book": book | {"cover_url": "https://covers.example.org/1.jpg"},
        "reading_number": 1,
        "status": "proposed",
        "position": 1,
        "added_by": person,
        "starts_on": None,
        "finished_on": None,
        "ends_on": None,
        "note": "First ten chapters.",
        "my_progress": None,
        "members_finished": 0,
        "club_average_rating": None,
        "times_considered": 0,
        "sealed_with": None,
    }
    row = as_bob.get(url(club)).json()["results"][0]
    assert row.pop("created_at")
    assert row == response


def test_entry_stays_after_account_deletion(
    anonymous: APIClient, club: Club, put_on_list: PutOnList, charlie: User
) -> None:
    entry = put_on_list("Emma", by=charlie)
    charlie.delete()
    assert anonymous.get(url(club, entry)).json()["added_by"] == {
        "id": None,
        "username": None,
        "display_name": "Deleted reader",
        "avatar_url": None,
    }


def test_list_filter_by_status(anonymous: APIClient, club: Club, put_on_list: PutOnList) -> None:
    put_on_list("A", status="planned")
    put_on_list("B", status="reading")
    put_on_list("C", status="planned")
    rows = anonymous.get(url(club), {"status": "planned"}).json()["results"]
    assert [row["book"]["title"] for row in rows] == ["A", "C"]


@pytest.mark.parametrize("query", [{"status": "maybe"}, {"status": ""}, {"state": "planned"}, {"ordering": "title"}])
def test_list_with_invalid_parameter_is_rejected(anonymous: APIClient, club: Club, query: dict[str, str]) -> None:
    assert status_and_code(anonymous.get(url(club), query)) == (400, "invalid_parameter")


def test_entry_of_another_club_is_not_found(
    as_alice: APIClient, club: Club, private_club: Club, put_on_list: PutOnList
) -> None:
    entry = put_on_list("Emma")
    for method, rest, body in (
        ("get", "", None),
        ("patch", "", {"note": "x"}),
        ("delete", "", None),
        ("get", "milestones/", None),
        ("post", "milestones/", {}),
        ("get", "progress/", None),
        ("put", "progress/", {"percent": 3}),
    ):
        assert status_and_code(getattr(as_alice, method)(url(private_club, entry, rest), body)) == (404, "not_found")
        assert status_and_code(getattr(as_alice, method)(url(club, 10**25, rest), body)) == (404, "not_found")


def test_listed_book_cannot_be_deleted(client_of: Callable[[User | None], APIClient], club: Club, alice: User) -> None:
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    entry = Entry.add_entry(club=club, book=book, by=alice)
    client = client_of(alice)
    assert status_and_code(client.delete(f"/api/v1/books/{book.pk}/")) == (409, "book_in_use")
    entry.delete_entry(by=alice)
    assert client.delete(f"/api/v1/books/{book.pk}/").status_code == 204


@pytest.mark.parametrize("count", [3, 300])
def test_list_query_count_is_constant(
    as_bob: APIClient, club: Club, alice: User, bob: User, count: int, django_assert_num_queries: Any
) -> None:
    books = Book.objects.bulk_create(Book(title=f"T{n}", title_key=f"t{n}", author="A") for n in range(count))
    books = list(Book.objects.order_by("pk")) if books[0].pk is None else books
    rows = [Entry(club=club, book=book, position=n, added_by=alice) for n, book in enumerate(books, 1)]
    Entry.objects.bulk_create(rows)
    for entry in Entry.objects.all()[:5]:
        entry.progress.create(user=bob, percent=100, unit="percent", amount=100, total=100)
    # Session with user, club with membership, entries with books, users, annotations and own progress.
    with django_assert_num_queries(3):
        response = as_bob.get(url(club), {"page_size": 100}).json()
    assert len(response["results"]) == min(count, 100)
    assert response["results"][0]["members_finished"] == 1
    assert response["results"][0]["my_progress"]["percent"] == 100
    # The same for one entry.
    with django_assert_num_queries(3):
        as_bob.get(url(club, response["results"][0]["id"]))


def test_list_etag_changes_with_content(as_bob: APIClient, club: Club, put_on_list: PutOnList) -> None:
    entry = put_on_list("Emma")
    etag = as_bob.get(url(club))["ETag"]
    assert as_bob.get(url(club), headers={"If-None-Match": etag}).status_code == 304
    Entry.objects.filter(pk=entry.pk).update(created_at=timezone.now() + timedelta(seconds=1))
    assert as_bob.get(url(club), headers={"If-None-Match": etag}).status_code == 200


def test_put_is_not_allowed(as_alice: APIClient, club: Club, put_on_list: PutOnList) -> None:
    assert status_and_code(as_alice.put(url(club, put_on_list("Emma")), {})) == (405, "method_not_allowed")


def test_out_of_range_ids_are_not_found(as_alice: APIClient, club: Club) -> None:
    assert status_and_code(as_alice.get(f"/api/v1/clubs/{10**30}/books/")) == (404, "not_found")
    assert codes(as_alice.post(url(club), {"book": 10**30})) == {"book": "does_not_exist"}
