"""POST books/."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book, Revision
from tests.catalog.helpers import codes

SOLIDAO = {
    "title": "Cem Anos de Solidão",
    "authors": ["Gabriel García Márquez"],
    "isbn": "85-01-01207-6",
    "published_year": 1967,
    "language": "pt-BR",
    "page_count": 394,
    "description": "Muitos anos depois, diante do pelotão de fuzilamento…",
    "subjects": ["Realismo mágico", "Colombia"],
}


def test_add_book_with_all_fields(as_alice: APIClient, alice: User) -> None:
    response = as_alice.post("/api/v1/books/", SOLIDAO)
    assert response.status_code == 201
    book = response.json()
    assert book["created_at"] == book["updated_at"]
    assert book == {
        "created_at": book["created_at"],
        "updated_at": book["updated_at"],
        "id": Book.objects.get(added_by=alice).pk,
        "title": "Cem Anos de Solidão",
        "author": "Gabriel García Márquez",
        "authors": ["Gabriel García Márquez"],
        "isbn13": "9788501012074",
        "editions": [
            {
                "isbn13": "9788501012074",
                "title": "",
                "format": "",
                "page_count": 394,
                "publisher": "",
                "language": "pt-BR",
                "published_year": 1967,
            }
        ],
        "published_year": 1967,
        "language": "pt-BR",
        "page_count": 394,
        "description": "Muitos anos depois, diante do pelotão de fuzilamento…",
        "subjects": ["Realismo mágico", "Colombia"],
        "cover_url": None,
        "average_rating": None,
        "ratings_count": 0,
        "my_review": None,
        "local_title": None,
    }
    assert as_alice.get(f"/api/v1/books/{book['id']}/").json() == response.json()
    assert not Revision.objects.exists()


@pytest.mark.parametrize(
    ("language", "stored"),
    [("eng", "en"), ("por", "pt"), ("por-BR", "pt-BR"), ("ger", "de"), ("deu", "de"), ("FRE", "fr"), ("fil", "fil")],
)
def test_language_of_a_book_gets_its_shortest_code(as_alice: APIClient, language: str, stored: str) -> None:
    response = as_alice.post("/api/v1/books/", {"title": "Emma", "author": "A", "language": language})
    assert response.status_code == 201
    assert response.json()["language"] == stored


@pytest.mark.parametrize(
    "isbn", ["978-0-306-40615-7 (pbk.)", "ISBN (13) 9780306406157", "urn:isbn:9780306406157", "ISBN nº 0306406152."]
)
def test_isbn_of_a_book_as_catalogs_write_it(as_alice: APIClient, isbn: str) -> None:
    response = as_alice.post("/api/v1/books/", {"title": "Emma", "author": "A", "isbn": isbn})
    assert response.status_code == 201
    assert response.json()["isbn13"] == "9780306406157"


@pytest.mark.parametrize("isbn", ["1111111111", "0000000000", "9999999999", "123456789", "123456789X", "9781111111111"])
def test_placeholder_is_no_isbn(as_alice: APIClient, isbn: str) -> None:
    for path in ("books/", "books/lookup/"):
        response = as_alice.post(f"/api/v1/{path}", {"title": "Emma", "author": "A", "isbn": isbn})
        assert codes(response) == {"isbn": "invalid_isbn"}


def test_add_book_with_title_and_author_only(as_alice: APIClient) -> None:
    response = as_alice.post("/api/v1/books/", {"title": "Emma", "author": "Jane Austen"})
    assert response.status_code == 201
    book = response.json()
    assert book["authors"] == ["Jane Austen"]
    assert book["created_at"].endswith("Z")
    empty = {name: book[name] for name in ("isbn13", "editions", "published_year", "language", "page_count")}
    assert empty == {"isbn13": None, "editions": [], "published_year": None, "language": "", "page_count": None}
    assert (book["description"], book["subjects"]) == ("", [])


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("García Márquez, Gabriel", ["García Márquez, Gabriel"]),
        ("Simon & Schuster", ["Simon & Schuster"]),
        ("Neil Gaiman; Terry Pratchett", ["Neil Gaiman", "Terry Pratchett"]),
    ],
)
def test_author_is_split_at_semicolons(as_alice: APIClient, author: str, names: list[str]) -> None:
    book = as_alice.post("/api/v1/books/", {"title": "T", "author": author}).json()
    assert book["authors"] == names
    assert book["author"] == ", ".join(names)


def test_authors_take_precedence_over_author(as_alice: APIClient) -> None:
    book = as_alice.post("/api/v1/books/", {"title": "T", "author": "X", "authors": ["A", "B", "C"]}).json()
    assert (book["authors"], book["author"]) == (["A", "B", "C"], "A, B, C")


def test_author_line_of_many_authors_is_truncated(as_alice: APIClient) -> None:
    names = [f"Author Number {n:03} of a Very Large Collaboration" for n in range(50)]
    book = as_alice.post("/api/v1/books/", {"title": "T", "authors": names}).json()
    assert book["authors"] == names
    assert len(book["author"]) <= 500
    assert book["author"].endswith("…")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"title": "required"}),
        ({"title": "T"}, {"authors": "required"}),
        ({"title": "T", "authors": []}, {"authors": "min_length"}),
        ({"title": "T", "authors": None}, {"authors": "null"}),
        ({"title": "T", "authors": "A"}, {"authors": "not_a_list"}),
        ({"title": "T", "authors": ["A", " \u200b"]}, {"authors.1": "invisible"}),
        ({"title": "T", "authors": ["A" * 201]}, {"authors.0": "max_length"}),
        ({"title": "T", "authors": ["A"] * 51}, {"authors": "max_length"}),
        ({"title": "T", "authors": [{"name": "A"}]}, {"authors.0": "invalid"}),
        ({"title": "T", "author": ""}, {"author": "blank"}),
        ({"title": "T", "author": ";;"}, {"author": "invalid"}),
        ({"title": "T", "author": "A" * 201}, {"author": "invalid"}),
        ({"title": "T", "author": ["A"]}, {"author": "invalid"}),
        ({"title": " ", "author": "A"}, {"title": "blank"}),
        ({"title": "\u2800", "author": "A"}, {"title": "invisible"}),
        ({"title": "T\x00", "author": "A"}, {"title": "null_characters_not_allowed"}),
        ({"title": "T" * 501, "author": "A"}, {"title": "max_length"}),
        ({"title": 5.5, "author": {"a": 1}}, {"title": "invalid", "author": "invalid"}),
        ({"title": "T", "authors": [1, "A"]}, {"authors.0": "invalid"}),
        ({"title": "T", "author": "A", "description": "  "}, {"description": "invisible"}),
        ({"title": "T", "author": "A", "language": " "}, {"language": "invisible"}),
        ({"title": "T", "author": "A", "isbn": " "}, {"isbn": "invisible"}),
        ({"title": "T", "author": "A", "isbn": "9780306406158"}, {"isbn": "invalid_isbn"}),
        ({"title": "T", "author": "A", "isbn": "4006381333931"}, {"isbn": "invalid_isbn"}),
        ({"title": "T", "author": "A", "isbn": 9780306406158}, {"isbn": "invalid_isbn"}),
        ({"title": "T", "author": "A", "isbn": ["x"]}, {"isbn": "invalid"}),
        ({"title": "T", "author": "A", "published_year": 2101}, {"published_year": "max_value"}),
        ({"title": "T", "author": "A", "published_year": -3001}, {"published_year": "min_value"}),
        ({"title": "T", "author": "A", "published_year": "soon"}, {"published_year": "invalid"}),
        ({"title": "T", "author": "A", "page_count": 0}, {"page_count": "min_value"}),
        ({"title": "T", "author": "A", "page_count": 50_001}, {"page_count": "max_value"}),
        ({"title": "T", "author": "A", "page_count": 10**400}, {"page_count": "max_value"}),
        ({"title": "T", "author": "A", "language": "english please"}, {"language": "invalid"}),
        ({"title": "T", "author": "A", "language": "en-latn-gb-oed"}, {"language": "max_length"}),
        ({"title": "T", "author": "A", "description": "d" * 10_001}, {"description": "max_length"}),
        ({"title": "T", "author": "A", "subjects": ["s"] * 51}, {"subjects": "max_length"}),
        ({"title": "T", "author": "A", "subjects": ["s" * 201]}, {"subjects.0": "max_length"}),
        ([], {"non_field_errors": "invalid"}),
        ("T", {"non_field_errors": "invalid"}),
        (5, {"non_field_errors": "invalid"}),
    ],
)
def test_invalid_fields_are_reported(as_alice: APIClient, body: Any, wrong: dict[str, str]) -> None:
    found = codes(as_alice.post("/api/v1/books/", body, format="json"))
    assert wrong.items() <= found.items(), found
    assert not Book.objects.exists()


@pytest.mark.parametrize("body", [b"null", b"", b"{", b'{"title": "\\ud83d", "author": "A"}', b"[" * 100_000])
def test_malformed_body_is_rejected(as_alice: APIClient, body: bytes) -> None:
    response = as_alice.post("/api/v1/books/", body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("empty", ["", None])
def test_empty_isbn_is_saved_as_null(as_alice: APIClient, empty: str | None) -> None:
    response = as_alice.post("/api/v1/books/", {"title": "T", "author": "A", "isbn": empty})
    assert response.status_code == 201
    assert response.json()["isbn13"] is None


def test_unknown_and_read_only_fields_are_ignored(as_alice: APIClient, bob: User) -> None:
    protected = {
        "id": 77,
        "added_by": bob.pk,
        "ratings_count": 9,
        "average_rating": 5,
        "stars_10": 9,
        "isbn13": "9780306406157",
        "cover_url": "https://evil.example/x.png",
        "origin": "goodbooks:1",
        "editions": [{"isbn13": "9780306406157"}],
        "nonsense": 1,
    }
    response = as_alice.post("/api/v1/books/", {"title": "T", "author": "A", **protected})
    assert response.status_code == 201
    book = Book.objects.get()
    assert (book.added_by, book.ratings_count, book.average_rating, book.isbn13) != (bob, 9, 5, "9780306406157")
    assert (book.stars_10, book.cover_url, book.origin, book.editions.count()) == (0, "", None, 0)


@pytest.mark.parametrize("spelling", ["9780306406157", "0306406152", "ISBN-13 978-0-306-40615-7", "306406152"])
def test_duplicate_isbn_is_a_conflict(as_alice: APIClient, add_book: Callable[..., Book], spelling: str) -> None:
    known = add_book("Known", isbn13="9780306406157")
    response = as_alice.post("/api/v1/books/", {"title": "T", "author": "A", "isbn": spelling})
    assert response.status_code == 409
    reference = {"id": known.pk, "title": "Known", "author": "Anonymous", "cover_url": None}
    assert (response.json()["code"], response.json()["book"]) == ("duplicate_isbn", reference)
    assert Book.objects.count() == 1


def test_duplicate_isbn_of_another_edition_is_a_conflict(as_alice: APIClient, add_book: Callable[..., Book]) -> None:
    known = add_book("Known")
    known.add_edition(isbn13="9780306406157", format="Hardcover")
    response = as_alice.post("/api/v1/books/", {"title": "T", "author": "A", "isbn": "0306406152"})
    assert (response.status_code, response.json()["book"]["id"]) == (409, known.pk)


def test_add_book_requires_authentication(anonymous: APIClient, db: None) -> None:
    response = anonymous.post("/api/v1/books/", {"title": "T", "author": "A"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_retry_with_idempotency_key_adds_one_book(as_alice: APIClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = as_alice.post("/api/v1/books/", {"title": "T", "author": "A"}, headers=headers)
    second = as_alice.post("/api/v1/books/", {"title": "T", "author": "A"}, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Book.objects.count() == 1
