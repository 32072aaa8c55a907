"""PUT, PATCH and DELETE books/{id}/ and their permissions."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection, models
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import TRUSTED_EDITORS, Book, Edition, Revision
from tests.catalog.helpers import codes

ISBN, OTHER_ISBN = "9780306406157", "9780804429573"


@pytest.fixture
def book(alice: User, add_book: Callable[..., Book]) -> Book:
    return add_book(
        "Emma", "Jane Austen", by=alice, isbn13=ISBN, published_year=1815, page_count=474, subjects=["Novel", "England"]
    )


@pytest.fixture
def url(book: Book) -> str:
    return f"/api/v1/books/{book.pk}/"


@pytest.fixture
def trusted_bob(bob: User, as_bob: APIClient) -> APIClient:
    bob.groups.add(Group.objects.get_or_create(name=TRUSTED_EDITORS)[0])
    return as_bob


def test_put_requires_title_and_authors(as_alice: APIClient, url: str, book: Book) -> None:
    assert codes(as_alice.put(url, {"author": "Jane Austen"})) == {"title": "required"}
    assert codes(as_alice.put(url, {"title": "Emma"})) == {"authors": "required"}
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=1), tick=False):
        response = as_alice.put(url, {"title": "Emma (1815)", "authors": ["Jane Austen", "Editor"]})
    assert response.status_code == 200
    changed = response.json()
    assert (changed["title"], changed["author"]) == ("Emma (1815)", "Jane Austen, Editor")
    assert (changed["published_year"], changed["isbn13"], changed["subjects"]) == (1815, ISBN, ["Novel", "England"])
    assert changed["updated_at"] > changed["created_at"]
    assert as_alice.get(url).json() == changed


def test_patch_changes_only_sent_fields(as_alice: APIClient, url: str) -> None:
    before = as_alice.get(url).json()
    body = {"description": "A match-maker.", "page_count": None, "subjects": ["Comedy"]}
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=1), tick=False):
        response = as_alice.patch(url, body)
    assert response.status_code == 200
    after = response.json()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"description", "page_count", "subjects", "updated_at", "editions"}
    assert after["editions"][0]["page_count"] is None


def test_unchanged_author_line_preserves_authors(as_alice: APIClient, url: str) -> None:
    as_alice.patch(url, {"authors": ["A", "B"]})
    response = as_alice.put(url, {"title": "New", "author": "A, B"})
    assert response.json()["authors"] == ["A", "B"]


def test_put_of_response_changes_nothing(as_alice: APIClient, url: str) -> None:
    before = as_alice.get(url).json()
    response = as_alice.put(url, before)
    assert (response.status_code, response.json()) == (200, before)
    assert not Revision.objects.exists()


def test_read_only_fields_are_ignored(as_alice: APIClient, url: str, book: Book) -> None:
    response = as_alice.patch(
        url, {"ratings_count": 5, "average_rating": 5, "id": 1, "clubs_reading": 2, "isbn13": "x"}
    )
    assert response.status_code == 200
    book.refresh_from_db()
    assert (book.ratings_count, book.clubs_reading, book.isbn13) == (0, 0, ISBN)


@pytest.mark.parametrize("body", [{"title": ""}, {"authors": []}, {"author": ""}, {"isbn": "1"}, {"page_count": -1}])
def test_invalid_values_change_nothing(as_alice: APIClient, url: str, body: dict[str, Any]) -> None:
    before = as_alice.get(url).json()
    assert list(codes(as_alice.patch(url, body))) == list(body)
    assert as_alice.get(url).json() == before


def test_new_isbn_changes_main_edition(as_alice: APIClient, url: str) -> None:
    changed = as_alice.patch(url, {"isbn": "0-8044-2957-X"}).json()
    assert changed["isbn13"] == OTHER_ISBN
    assert [edition["isbn13"] for edition in changed["editions"]] == [OTHER_ISBN]


def test_isbn_of_other_edition_makes_it_main(as_alice: APIClient, url: str, book: Book) -> None:
    book.add_edition(isbn13=OTHER_ISBN, format="Paperback")
    changed = as_alice.patch(url, {"isbn": OTHER_ISBN}).json()
    assert changed["isbn13"] == OTHER_ISBN
    assert [edition["isbn13"] for edition in changed["editions"]] == [ISBN, OTHER_ISBN]


def test_isbn_can_be_removed_and_restored(as_alice: APIClient, url: str) -> None:
    without = as_alice.patch(url, {"isbn": None}).json()
    assert (without["isbn13"], without["editions"]) == (None, [])
    again = as_alice.patch(url, {"isbn": ISBN}).json()
    assert (again["isbn13"], again["editions"][0]["page_count"]) == (ISBN, 474)


@pytest.mark.parametrize("method", ["patch", "put"])
def test_isbn_of_another_book_is_a_conflict(
    as_alice: APIClient, url: str, add_book: Callable[..., Book], method: str
) -> None:
    other = add_book("Other", isbn13=OTHER_ISBN, cover_url="https://covers.example/1.jpg")
    response = getattr(as_alice, method)(url, {"isbn": OTHER_ISBN, "title": "Changed", "author": "A"})
    assert (response.status_code, response.json()["code"]) == (409, "duplicate_isbn")
    reference = {"id": other.pk, "title": "Other", "author": "Anonymous", "cover_url": "https://covers.example/1.jpg"}
    assert response.json()["book"] == reference
    assert as_alice.get(url).json()["title"] == "Emma"
    assert not Revision.objects.exists()


def test_changes_create_revisions_that_can_be_reverted(as_alice: APIClient, url: str, book: Book, alice: User) -> None:
    as_alice.patch(url, {"title": "Ema", "authors": ["J. Austen"]})
    as_alice.patch(url, {"subjects": []})
    second, first = Revision.objects.filter(book=book)
    assert (first.number, second.number, first.editor) == (1, 2, alice)
    assert first.changes == {
        "title": {"before": "Emma", "after": "Ema"},
        "authors": {"before": ["Jane Austen"], "after": ["J. Austen"]},
    }
    third = first.revert(by=None)
    assert third is not None
    assert third.number == 3
    now = as_alice.get(url).json()
    assert (now["title"], now["authors"], now["subjects"]) == ("Emma", ["Jane Austen"], [])
    assert first.revert(by=None) is None


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_users_cannot_change_book(as_bob: APIClient, anonymous: APIClient, url: str, method: str) -> None:
    body = {"title": "Mine", "author": "Bob"}
    assert getattr(anonymous, method)(url, body).status_code == 401
    assert getattr(anonymous, method)("/api/v1/books/999999/", body).status_code == 401
    assert getattr(as_bob, method)(url, body).status_code == 403
    assert getattr(as_bob, method)("/api/v1/books/999999/", body).status_code == 404
    assert as_bob.get(url).json()["title"] == "Emma"


def test_staff_cannot_change_book_in_api(staff: User, client_of: Callable[[User | None], APIClient], url: str) -> None:
    assert client_of(staff).patch(url, {"title": "T"}).status_code == 403


def test_trusted_editor_can_change_but_not_delete(trusted_bob: APIClient, url: str, bob: User) -> None:
    assert trusted_bob.patch(url, {"title": "Emma!"}).status_code == 200
    assert Revision.objects.get().editor == bob
    assert trusted_bob.delete(url).status_code == 403


def test_trusted_editors_group_exists(db: None) -> None:
    assert Group.objects.filter(name=TRUSTED_EDITORS).exists()


def test_imported_book_is_changed_by_trusted_editors_only(
    add_book: Callable[..., Book], as_alice: APIClient, trusted_bob: APIClient
) -> None:
    url = f"/api/v1/books/{add_book('Imported').pk}/"
    assert as_alice.patch(url, {"title": "T"}).status_code == 403
    assert as_alice.delete(url).status_code == 403
    assert trusted_bob.patch(url, {"title": "T"}).status_code == 200


def test_creator_can_delete_book(as_alice: APIClient, url: str) -> None:
    as_alice.patch(url, {"title": "Ema"})
    assert as_alice.delete(url).status_code == 204
    assert as_alice.get(url).status_code == 404
    assert not Edition.objects.exists()


def test_delete_book_in_use_is_a_conflict(
    as_alice: APIClient, url: str, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_use(self: Book) -> None:
        raise models.ProtectedError("in use", set())

    monkeypatch.setattr(Book, "delete", in_use)
    response = as_alice.delete(url)
    assert (response.status_code, response.json()["code"]) == (409, "book_in_use")
    assert as_alice.get(url).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_delete_book_with_foreign_key_is_a_conflict(as_alice: APIClient, url: str, book: Book) -> None:
    """A row that was added after the check, so that only the database knows of it."""
    kind = "bigint" if connection.vendor == "mysql" else "integer"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE test_entry (book_id {kind} NOT NULL, FOREIGN KEY (book_id) REFERENCES catalog_book (id))"
        )
        cursor.execute("INSERT INTO test_entry VALUES (%s)", [book.pk])
    try:
        response = as_alice.delete(url)
        assert (response.status_code, response.json()["code"]) == (409, "book_in_use")
        assert as_alice.get(url).status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE test_entry")


def test_stale_if_match_is_rejected(as_alice: APIClient, url: str) -> None:
    etag = as_alice.get(url)["ETag"]
    fresh = as_alice.patch(url, {"title": "First"}, headers={"If-Match": etag})
    assert fresh.status_code == 200
    for method in ("put", "patch", "delete"):
        stale = getattr(as_alice, method)(url, {"title": "Second", "author": "A"}, headers={"If-Match": etag})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert as_alice.get(url, headers={"If-None-Match": as_alice.get(url)["ETag"]}).status_code == 304
    assert as_alice.delete(url, headers={"If-Match": as_alice.get(url)["ETag"]}).status_code == 204


def test_unknown_book_is_404(anonymous: APIClient, db: None) -> None:
    for pk in ("1", "0", str(10**30)):
        assert anonymous.get(f"/api/v1/books/{pk}/").status_code == 404
    assert anonymous.get("/api/v1/books/x/").status_code == 404
