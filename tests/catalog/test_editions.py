"""POST books/{id}/editions/, titles of editions, and what the search finds by them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from catalog.merges.services import merge_books, undo_merge
from catalog.models import TRUSTED_EDITORS, Book, Edition, ProposedEdition, proposals
from core.api.pagination import SearchPagination
from tests.catalog.helpers import codes, titles
from tests.clubs.helpers import problem

# The full-text index of InnoDB contains committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)

ENSAIO, LISBON = "9788571644953", "9789722106986"
EDITION = {"isbn": "978-85-7164-495-3", "title": "Ensaio sobre a cegueira", "language": "pt-BR", "page_count": 312}


@pytest.fixture(autouse=True)
def use_index_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the scan of the next rows (tests/test_searched_pages.py)."""
    monkeypatch.setattr(SearchPagination, "search_windows", ())


@pytest.fixture
def book(alice: User, add_book: Callable[..., Book]) -> Book:
    return add_book("Blindness", "José Saramago", by=alice, language="en")


def url(book: Book) -> str:
    return f"/api/v1/books/{book.pk}/editions/"


def search(client: APIClient, text: str, **headers: str) -> list[str]:
    return titles(client.get("/api/v1/books/", {"search": text}, **headers))


def test_creator_adds_an_edition(as_alice: APIClient, anonymous: APIClient, book: Book) -> None:
    response = as_alice.post(url(book), EDITION)
    assert response.status_code == 201, response.content
    expected = {
        "isbn13": ENSAIO,
        "title": "Ensaio sobre a cegueira",
        "format": "",
        "page_count": 312,
        "publisher": "",
        "language": "pt-BR",
        "published_year": None,
    }
    assert response.json() == expected
    assert response["Location"].endswith(f"/api/v1/books/{book.pk}/")
    shown = anonymous.get(f"/api/v1/books/{book.pk}/").json()
    assert (shown["title"], shown["isbn13"], shown["editions"]) == ("Blindness", None, [expected])
    for text in ("ensaio sobre a cegueira", "ENSAIO CEG", ENSAIO, "cegueira saramago", "blindness"):
        assert search(anonymous, text) == ["Blindness"], text
    assert search(anonymous, "memorial") == []


def test_trusted_editor_adds_an_edition(as_bob: APIClient, bob: User, book: Book) -> None:
    bob.groups.add(Group.objects.get(name=TRUSTED_EDITORS))
    assert as_bob.post(url(book), {"isbn13": ENSAIO}).status_code == 201


def test_others_propose_an_edition(as_bob: APIClient, as_mallory: APIClient, book: Book) -> None:
    response = as_bob.post(url(book), EDITION)
    assert (response.status_code, response.json()["isbn13"]) == (202, ENSAIO)
    assert "Location" not in response
    problem(as_bob.post(url(book), {"isbn": ENSAIO}), 409, "already_proposed")
    # A wrong proposal does not keep others from a right one.
    assert as_mallory.post(url(book), EDITION).status_code == 202
    assert not Edition.objects.exists()
    assert search(as_bob, "cegueira") == []


def test_number_of_proposals_is_limited(as_bob: APIClient, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MAX_PROPOSALS", 1)
    assert as_bob.post(url(book), EDITION).status_code == 202
    problem(as_bob.post(url(book), {"isbn": LISBON}), 409, "too_many_proposals")
    assert ProposedEdition.objects.count() == 1


def test_known_isbn_is_rejected(
    as_alice: APIClient, as_bob: APIClient, book: Book, add_book: Callable[..., Book]
) -> None:
    other = add_book("Cegueira", isbn13=ENSAIO)
    for client in (as_alice, as_bob):
        error = problem(client.post(url(book), EDITION), 409, "duplicate_isbn")
        assert error["book"]["id"] == other.pk


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"isbn": None}, {"isbn": "null"}),
        ({"isbn": ""}, {"isbn": "blank"}),
        ({"isbn": "9788571644954"}, {"isbn": "invalid_isbn"}),
        ({"title": "T" * 501}, {"title": "max_length"}),
        ({"title": "a\nb"}, {"title": "line_break"}),
        ({"language": "portuguese, of course"}, {"language": "max_length"}),
        ({"page_count": 0}, {"page_count": "min_value"}),
        ({"published_year": 9999}, {"published_year": "max_value"}),
    ],
)
def test_invalid_edition_is_rejected(
    as_alice: APIClient, book: Book, body: dict[str, Any], errors: dict[str, str]
) -> None:
    found = codes(as_alice.post(url(book), EDITION | body))
    assert found.keys() == errors.keys()
    assert not Edition.objects.exists()


def test_edition_requires_authentication_and_a_book(anonymous: APIClient, as_alice: APIClient, book: Book) -> None:
    problem(anonymous.post("/api/v1/books/987654321/editions/", EDITION), 401, "not_authenticated")
    problem(as_alice.post("/api/v1/books/987654321/editions/", EDITION), 404, "not_found")
    assert list(codes(as_alice.post(url(book), {"title": "T"}))) == ["isbn"]


LANGUAGES = [
    ("pt-BR", "Ensaio sobre a cegueira"),
    ("pt", "Ensaio sobre a cegueira"),
    ("en", None),
    ("de", None),
]


@pytest.mark.parametrize(("language", "expected"), LANGUAGES)
def test_local_title_is_that_of_an_edition_in_the_callers_language(
    as_alice: APIClient, anonymous: APIClient, book: Book, language: str, expected: str | None
) -> None:
    for isbn, title, tag in (
        (LISBON, "Ensaio Sobre a Cegueira (Lisboa)", "pt-PT"),
        (ENSAIO, EDITION["title"], "pt-BR"),
    ):
        assert as_alice.post(url(book), {"isbn": isbn, "title": title, "language": tag}).status_code == 201
    as_alice.post(url(book), {"isbn": "9780306406157", "language": "en"})
    for client in (anonymous, as_alice):
        for _cached in range(2):
            detail = client.get(f"/api/v1/books/{book.pk}/", HTTP_ACCEPT_LANGUAGE=language)
            assert detail.json()["local_title"] == expected
            listed = client.get("/api/v1/books/", HTTP_ACCEPT_LANGUAGE=language)
            assert [row["local_title"] for row in listed.json()["results"]] == [expected]
            assert "Accept-Language" in listed["Vary"]


def test_new_edition_changes_the_cached_local_title(as_alice: APIClient, anonymous: APIClient, book: Book) -> None:
    def local() -> list[str | None]:
        responses = [
            anonymous.get(path, HTTP_ACCEPT_LANGUAGE="pt-BR").json()
            for path in (f"/api/v1/books/{book.pk}/", "/api/v1/books/")
        ]
        return [responses[0]["local_title"], responses[1]["results"][0]["local_title"]]

    assert local() == [None, None]
    as_alice.post(url(book), EDITION)
    assert local() == [EDITION["title"]] * 2


def test_if_match_holds_in_another_language(as_alice: APIClient, book: Book) -> None:
    as_alice.post(url(book), EDITION)
    path = f"/api/v1/books/{book.pk}/"
    etag = as_alice.get(path, HTTP_ACCEPT_LANGUAGE="pt-BR")["ETag"]
    assert as_alice.patch(path, {"page_count": 300}, HTTP_IF_MATCH=etag).status_code == 200
    assert as_alice.post(url(book), {"isbn": LISBON}).status_code == 201
    problem(as_alice.patch(path, {"page_count": 301}, HTTP_IF_MATCH=etag), 412, "precondition_failed")


def test_renamed_book_is_still_found_by_its_editions(as_alice: APIClient, book: Book) -> None:
    as_alice.post(url(book), EDITION)
    as_alice.patch(f"/api/v1/books/{book.pk}/", {"title": "Blindness, a novel"})
    assert search(as_alice, "ensaio cegueira") == ["Blindness, a novel"]


def test_merged_book_is_found_by_its_title(
    as_alice: APIClient, anonymous: APIClient, book: Book, add_book: Callable[..., Book], staff: User
) -> None:
    translated = add_book("Ensaio sobre a cegueira", "José Saramago", isbn13=ENSAIO, language="pt-br")
    merge = merge_books(target=book, source=translated, by=staff, reason="A translation")
    assert search(anonymous, "ensaio sobre a cegueira") == ["Blindness"]
    shown = anonymous.get(f"/api/v1/books/{book.pk}/", HTTP_ACCEPT_LANGUAGE="pt-BR").json()
    assert shown["local_title"] == "Ensaio sobre a cegueira"
    undo_merge(merge, by=staff, reason="No")
    assert search(anonymous, "ensaio sobre a cegueira") == ["Ensaio sobre a cegueira"]
    assert search(anonymous, "blindness") == ["Blindness"]


def decide(user: User, action: str, *found: ProposedEdition) -> str:
    client = Client()
    client.force_login(user)
    body = {"action": action, "_selected_action": [proposal.pk for proposal in found]}
    response = client.post(reverse("admin:catalog_proposededition_changelist"), body, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_staff_accept_a_proposal(
    as_bob: APIClient, as_mallory: APIClient, bob: User, book: Book, staff: User, anonymous: APIClient
) -> None:
    as_mallory.post(url(book), EDITION | {"title": "Nonsense"})
    as_bob.post(url(book), EDITION)
    _nonsense, proposal = ProposedEdition.objects.order_by("pk")
    page = decide(staff, "accept_selected", proposal)
    assert "1 proposal was decided." in page
    assert [edition.title for edition in Edition.objects.all()] == [EDITION["title"]]
    # The other one has the same ISBN.
    assert not ProposedEdition.objects.exists()
    assert search(anonymous, "cegueira") == ["Blindness"]


def test_accepted_proposal_of_a_known_isbn_is_reported(
    as_bob: APIClient, book: Book, staff: User, add_book: Callable[..., Book]
) -> None:
    as_bob.post(url(book), EDITION)
    add_book("Cegueira", isbn13=ENSAIO)
    assert "already has a book with this ISBN" in decide(staff, "accept_selected", ProposedEdition.objects.get())
    assert ProposedEdition.objects.count() == 1


def test_proposal_for_a_merged_book_is_added_to_its_target(
    as_bob: APIClient, book: Book, staff: User, add_book: Callable[..., Book]
) -> None:
    as_bob.post(url(book), EDITION)
    target = add_book("Blindness", "J. Saramago")
    merge_books(target=target, source=book, by=staff, reason="The same")
    decide(staff, "accept_selected", ProposedEdition.objects.get())
    assert Edition.objects.get().book_id == target.pk


def test_staff_reject_a_proposal(as_bob: APIClient, book: Book, staff: User) -> None:
    as_bob.post(url(book), EDITION)
    decide(staff, "reject_selected", ProposedEdition.objects.get())
    assert not ProposedEdition.objects.exists()
    assert not Edition.objects.exists()
    assert as_bob.post(url(book), EDITION).status_code == 202


def test_deletion_of_the_account_removes_its_proposals(as_bob: APIClient, book: Book) -> None:
    as_bob.post(url(book), EDITION)
    assert as_bob.delete("/api/v1/users/me/", {"password": "correct horse battery"}).status_code == 204
    assert not ProposedEdition.objects.exists()


def test_retry_with_idempotency_key_adds_once(as_alice: APIClient, book: Book) -> None:
    first, second = (as_alice.post(url(book), EDITION, HTTP_IDEMPOTENCY_KEY="one") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Edition.objects.count() == 1
