"""POST books/lookup/, with a local server that plays recorded responses of Open Library."""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from catalog.merges.services import merge_books
from catalog.models import Book
from catalog.providers import chain, cleaning
from catalog.providers.openlibrary import OpenLibraryProvider, _authors_from_statement
from tests.catalog.helpers import codes
from tests.catalog.provider_server import RECORDED, Handler, Server

URL = "/api/v1/books/lookup/"
ENCHANTEURS, TWILIGHT, SLOW_READING, CONCRETE = "9782070379040", "9780316015844", "9780980200447", "9780201558029"


def test_known_isbn_does_not_query_provider(
    as_alice: APIClient, open_library: Server, add_book: Callable[..., Book]
) -> None:
    book = add_book("Twilight", isbn13=TWILIGHT)
    response = as_alice.post(URL, {"isbn": "0-316-01584-9"})
    assert (response.status_code, response.json()["id"]) == (200, book.pk)
    assert open_library.requested_paths == []


def test_provider_book_is_added(as_alice: APIClient, open_library: Server, alice: User) -> None:
    response = as_alice.post(URL, {"isbn": "0-316-01584-9"})
    assert response.status_code == 201
    book = response.json()
    assert (book["title"], book["authors"]) == ("Twilight (The Twilight Saga, Book 1)", ["Stephenie Meyer"])
    assert (book["isbn13"], book["published_year"], book["page_count"]) == (TWILIGHT, 2006, 544)
    assert book["cover_url"] == "https://covers.openlibrary.org/b/id/187634-L.jpg"
    assert len(book["subjects"]) == 16
    assert not [name for name in book["subjects"] if name.startswith("nyt:")]
    assert book["editions"] == [
        {
            "isbn13": TWILIGHT,
            "title": "Twilight (The Twilight Saga, Book 1)",
            "format": "",
            "page_count": 544,
            "publisher": "Little, Brown Young Readers",
            "language": "",
            "published_year": 2006,
        }
    ]
    stored = Book.objects.get()
    assert (stored.added_by, stored.origin) == (alice, "openlibrary:/books/OL9364529M")
    again = as_alice.post(URL, {"isbn": TWILIGHT})
    assert (again.status_code, again.json()) == (200, as_alice.get(f"/api/v1/books/{stored.pk}/").json())
    assert open_library.requested_paths == [f"/api/books?bibkeys=ISBN:{TWILIGHT}&jscmd=data&format=json"]


@pytest.mark.parametrize(
    ("isbn", "title", "authors", "year", "pages"),
    [
        (ENCHANTEURS, "Les Enchanteurs", ["Romain Gary"], 1988, 373),
        (SLOW_READING, "Slow reading", ["John Miedema"], 2009, 92),
        (
            CONCRETE,
            "Concrete mathematics: a foundation for computer science",
            ["Ronald L. Graham", "Donald Knuth", "Oren Patashnik"],
            1994,
            657,
        ),
    ],
)
def test_recorded_responses_are_parsed(
    as_alice: APIClient, open_library: Server, isbn: str, title: str, authors: list[str], year: int, pages: int
) -> None:
    book = as_alice.post(URL, {"isbn": isbn}).json()
    assert (book["title"], book["authors"]) == (title, authors)
    assert (book["published_year"], book["page_count"]) == (year, pages)


def test_other_isbn_of_same_record_adds_edition(as_alice: APIClient, open_library: Server) -> None:
    """Slow reading has two ISBNs, and Open Library knows it by both."""
    first = as_alice.post(URL, {"isbn": SLOW_READING})
    recorded = json.loads((RECORDED / f"{SLOW_READING}.json").read_text())
    other = json.dumps({"ISBN:9781936117369": recorded[f"ISBN:{SLOW_READING}"]}).encode()
    open_library.respond = lambda handler: handler.send(other)
    second = as_alice.post(URL, {"isbn": "9781936117369"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert [edition["isbn13"] for edition in second.json()["editions"]] == [SLOW_READING, "9781936117369"]


def test_unknown_isbn_is_404_and_cached(as_alice: APIClient, open_library: Server) -> None:
    for _attempt in range(2):
        response = as_alice.post(URL, {"isbn": "9780306406157"})
        assert (response.status_code, response.json()["code"]) == (404, "unknown_isbn")
    assert len(open_library.requested_paths) == 1
    assert not Book.objects.exists()


def test_provider_response_is_cached(as_alice: APIClient, open_library: Server) -> None:
    as_alice.post(URL, {"isbn": TWILIGHT})
    Book.objects.get().delete_book()
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201
    assert len(open_library.requested_paths) == 1


@pytest.mark.parametrize("title", ["Twilight", "TWILIGHT (The Twilight Saga, #1)", "Twilight: A Novel"])
def test_new_edition_is_added_to_its_work(
    as_alice: APIClient, open_library: Server, add_book: Callable[..., Book], title: str
) -> None:
    book = add_book(title, "Meyer, Stephenie")
    response = as_alice.post(URL, {"isbn": TWILIGHT})
    assert (response.status_code, response.json()["id"]) == (201, book.pk)
    assert [edition["isbn13"] for edition in response.json()["editions"]] == [TWILIGHT]


def test_edition_of_a_merged_book_is_added_to_its_target(
    as_alice: APIClient, open_library: Server, add_book: Callable[..., Book], staff: User
) -> None:
    merged, target = add_book("Twilight", "Stephenie Meyer"), add_book("Crepúsculo", "Stephenie Meyer")
    merge_books(target=target, source=merged, by=staff, reason="The same work")
    response = as_alice.post(URL, {"isbn": TWILIGHT})
    assert (response.status_code, response.json()["id"]) == (201, target.pk)
    assert [edition["isbn13"] for edition in response.json()["editions"]] == [TWILIGHT]
    assert Book.objects.count() == 2


@pytest.mark.parametrize(("title", "author"), [("Twilight", "Mary Meyer"), ("Twilight (#2)", "Stephenie Meyer")])
def test_other_works_do_not_get_the_edition(
    as_alice: APIClient, open_library: Server, add_book: Callable[..., Book], title: str, author: str
) -> None:
    add_book(title, author)
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201
    assert Book.objects.count() == 2


def deeply_nested(handler: Handler) -> None:
    handler.send(b"[" * 100_000)


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65536)
    except OSError:
        pass


def book_with(**fields: Any) -> Callable[[Handler], None]:
    body = {f"ISBN:{TWILIGHT}": {"key": "/books/OL1M", **fields}}
    return lambda handler: handler.send(json.dumps(body).encode())


@pytest.mark.parametrize(
    "respond",
    [
        lambda handler: handler.send(b"{}", status=500),
        lambda handler: handler.send(b"{}", status=429),
        lambda handler: handler.send(b"{}", status=404),
        lambda handler: handler.send(b"<html>Sorry</html>"),
        lambda handler: handler.send(b""),
        lambda handler: handler.send(b"null"),
        lambda handler: handler.send(b"[]"),
        lambda handler: handler.send(b"[{}]"),
        lambda handler: handler.send(b'{"ISBN:1": {}}'),
        lambda handler: handler.send(b"\xff\xfe\x00"),
        lambda handler: handler.send(b"", status=302, Location="http://169.254.169.254/latest/"),
        lambda handler: handler.send(b"", status=302, Location=handler.path),
        lambda handler: handler.send(b"", status=302),
        lambda handler: handler.send(b"short", **{"Content-Length": "900"}),
        lambda handler: handler.connection.close(),
        deeply_nested,
        endless,
        book_with(),
        book_with(title=None),
        book_with(title="\u200b"),
        book_with(title=["T"]),
        book_with(title="T", authors="Jane"),
        book_with(title="T", authors=[["Jane"]]),
        book_with(title="T", cover="x"),
    ],
)
def test_malformed_provider_response_is_503(
    as_alice: APIClient, open_library: Server, respond: Callable[[Handler], None]
) -> None:
    open_library.respond = respond
    response = as_alice.post(URL, {"isbn": TWILIGHT})
    assert (response.status_code, response.json()["code"]) == (503, "provider_unavailable")
    assert int(response["Retry-After"]) > 0
    assert not Book.objects.exists()
    open_library.respond = None
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201


def test_unreachable_provider_is_503(as_alice: APIClient, settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.OPENLIBRARY_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 503


def test_redirect_on_same_host_is_followed(as_alice: APIClient, open_library: Server) -> None:
    def moved(handler: Handler) -> None:
        open_library.respond = None
        handler.send(b"", status=301, Location=handler.path)

    open_library.respond = moved
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201


@pytest.mark.parametrize("first_byte", [True, False])
def test_slow_provider_times_out(
    as_alice: APIClient, open_library: Server, monkeypatch: pytest.MonkeyPatch, first_byte: bool
) -> None:
    """The server is silent, or sends one byte at a time forever."""
    monkeypatch.setattr(chain, "PROVIDER_SECONDS", 0.3)
    over = threading.Event()

    def slow(handler: Handler) -> None:
        if first_byte:
            handler.send_response(200)
            handler.end_headers()
        try:
            while not over.wait(0.05):
                if first_byte:
                    handler.wfile.write(b" ")
        except OSError:
            pass

    open_library.respond = slow
    began = time.monotonic()
    response = as_alice.post(URL, {"isbn": TWILIGHT})
    over.set()
    assert response.status_code == 503
    assert time.monotonic() - began < 15  # without the limit it would never end


def test_provider_values_are_limited_and_cleaned(as_alice: APIClient, open_library: Server) -> None:
    open_library.respond = book_with(
        title="  A\x00 very  odd\n title ",
        subtitle=5,
        by_statement="by Jane Doe.",
        number_of_pages=10**9,
        publish_date="c. MCMXC",
        publishers=[{"name": None}, {"name": "P" * 500}],
        subjects=[{"name": f"S{n}"} for n in range(500)] + [{"name": "S1"}],
        cover={"large": "javascript:alert(1)"},
    )
    book = as_alice.post(URL, {"isbn": TWILIGHT}).json()
    assert (book["title"], book["authors"]) == ("A very odd title", ["Jane Doe"])
    assert (book["page_count"], book["published_year"], book["cover_url"]) == (None, None, None)
    assert (len(book["subjects"]), len(book["editions"][0]["publisher"])) == (50, 200)


def test_provider_book_with_title_only(as_alice: APIClient, open_library: Server) -> None:
    """A compatible service may send no key, and covers in some sizes only."""
    found = {"title": "Same", "cover": {"medium": "https://covers.example.org/1-M.jpg"}}
    for isbn in (TWILIGHT, CONCRETE):
        body = json.dumps({f"ISBN:{isbn}": found}).encode()
        open_library.respond = lambda handler, body=body: handler.send(body)  # type: ignore[misc]
        response = as_alice.post(URL, {"isbn": isbn})
        assert (response.status_code, response.json()["title"]) == (201, "Same")
        assert response.json()["cover_url"] == "https://covers.example.org/1-M.jpg"
    assert Book.objects.filter(origin=None).count() == 2


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("March 2009", 2009),
        ("Oct 12, 1999", 1999),
        ("1988-05", 1988),
        ("c1985", 1985),
        ("[1967?]", 1967),
        ("12/03/2004", 2004),
        ("19--", None),
        ("20041231", None),
        ("", None),
        (None, None),
        (1999, 1999),
        (True, None),
        (0, None),
    ],
)
def test_years_are_parsed_from_dates(date: Any, year: int | None) -> None:
    assert cleaning.year(date) == year


@pytest.mark.parametrize(
    ("statement", "authors"),
    [
        ("by Jane Doe.", ["Jane Doe"]),
        ("[by] Joaquim Maria Machado de Assis", ["Joaquim Maria Machado de Assis"]),
        ("J.K. Rowling ; illustrations by Mary GrandPré.", ["J.K. Rowling"]),
        ("Antoine de Saint-Exupéry, translated from the French by Katherine Woods", ["Antoine de Saint-Exupéry"]),
        ("by William Strunk, Jr. and E.B. White.", ["William Strunk, Jr", "E.B. White"]),
        ("Erich Gamma, Richard Helm, and Ralph Johnson", ["Erich Gamma", "Richard Helm", "Ralph Johnson"]),
        ("Terry Pratchett & Neil Gaiman", ["Terry Pratchett", "Neil Gaiman"]),
        ("por Jorge Amado e Zélia Gattai ; traduzido por Alguém", ["Jorge Amado", "Zélia Gattai"]),
        ("Abraham Silberschatz ... [et al.].", ["Abraham Silberschatz"]),
        ("Homer", ["Homer"]),
        ("edited by Jane Doe.", []),
        ("text by Dr. Seuss; pictures by somebody", []),
        ("Strunk, William", []),
        ("the editors of Time-Life Books", []),
        ("Jane Doe, professor of law", []),
        ("a novel in 3 parts", []),
        ("", []),
        (None, []),
        (["Jane Doe"], []),
    ],
)
def test_authors_are_read_from_a_statement(statement: Any, authors: list[str]) -> None:
    assert _authors_from_statement(statement) == authors


@pytest.mark.parametrize("isbn", ["ISBN-13 978-0-316-01584-4", "ISBN-10 0-316-01584-9", "316015849"])
def test_lookup_accepts_any_spelling(as_alice: APIClient, open_library: Server, isbn: str) -> None:
    assert as_alice.post(URL, {"isbn": isbn}).json()["isbn13"] == TWILIGHT


@pytest.mark.parametrize("body", [{}, {"isbn": ""}, {"isbn": None}, {"isbn": "9780306406158"}, {"isbn": 5}])
def test_invalid_isbn_is_400(as_alice: APIClient, open_library: Server, body: dict[str, Any]) -> None:
    assert list(codes(as_alice.post(URL, body))) == ["isbn"]
    assert open_library.requested_paths == []


def test_lookup_requires_authentication(anonymous: APIClient, open_library: Server, db: None) -> None:
    assert anonymous.post(URL, {"isbn": TWILIGHT}).status_code == 401
    assert open_library.requested_paths == []


def test_lookup_rejects_get(as_alice: APIClient) -> None:
    response = as_alice.get(URL)
    assert response.status_code == 405
    assert "POST" in response["Allow"]


def test_cached_book_survives_serialization(open_library: Server, db: None) -> None:
    provider = OpenLibraryProvider(open_library.url)
    first = provider.get_by_isbn(CONCRETE, seconds=5)
    assert cache.get(f"openlibrary:3:{CONCRETE}") is not None
    assert provider.get_by_isbn(CONCRETE, seconds=5) == first
    assert len(open_library.requested_paths) == 1
