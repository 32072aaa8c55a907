"""POST books/lookup/, with Open Library's part played by a server of our own that says what the real one said."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from catalog import providers
from catalog.models import Book
from tests.catalog.helpers import codes

URL = "/api/v1/books/lookup/"
RECORDED = Path(__file__).parent / "recorded"
ENCHANTEURS, TWILIGHT, SLOW_READING, CONCRETE = "9782070379040", "9780316015844", "9780980200447", "9780201558029"


class Server(ThreadingHTTPServer):
    """Open Library as a test wants it: `answer` is what it says instead of a recorded answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.answer: Callable[[Handler], None] | None = None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.answer:
            self.server.answer(self)
            return
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        assert url.path == "/api/books"
        assert (query["jscmd"], query["format"]) == (["data"], ["json"])
        file = RECORDED / f"{query['bibkeys'][0].removeprefix('ISBN:')}.json"
        self.say(file.read_bytes() if file.exists() else b"{}")

    def say(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def open_library(settings: Settings) -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.OPENLIBRARY_URL = server.url
        yield server
        server.shutdown()
        thread.join()


def test_what_the_catalogue_has_is_not_asked_for(
    as_alice: APIClient, open_library: Server, add_book: Callable[..., Book]
) -> None:
    book = add_book("Twilight", isbn13=TWILIGHT)
    response = as_alice.post(URL, {"isbn": "0-316-01584-9"})
    assert (response.status_code, response.json()["id"]) == (200, book.pk)
    assert open_library.asked == []


def test_what_the_provider_knows_is_added(as_alice: APIClient, open_library: Server, alice: User) -> None:
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
    assert open_library.asked == [f"/api/books?bibkeys=ISBN:{TWILIGHT}&jscmd=data&format=json"]


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
def test_recorded_answers_are_read(
    as_alice: APIClient, open_library: Server, isbn: str, title: str, authors: list[str], year: int, pages: int
) -> None:
    book = as_alice.post(URL, {"isbn": isbn}).json()
    assert (book["title"], book["authors"]) == (title, authors)
    assert (book["published_year"], book["page_count"]) == (year, pages)


def test_another_isbn_of_the_same_edition_is_the_same_book(as_alice: APIClient, open_library: Server) -> None:
    """Slow reading has two, and Open Library knows it by both."""
    first = as_alice.post(URL, {"isbn": SLOW_READING})
    recorded = json.loads((RECORDED / f"{SLOW_READING}.json").read_text())
    other = json.dumps({"ISBN:9781936117369": recorded[f"ISBN:{SLOW_READING}"]}).encode()
    open_library.answer = lambda handler: handler.say(other)
    second = as_alice.post(URL, {"isbn": "9781936117369"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert [edition["isbn13"] for edition in second.json()["editions"]] == [SLOW_READING, "9781936117369"]


def test_unknown_there_too_is_404_and_is_remembered(as_alice: APIClient, open_library: Server) -> None:
    for _attempt in range(2):
        response = as_alice.post(URL, {"isbn": "9780306406157"})
        assert (response.status_code, response.json()["code"]) == (404, "unknown_isbn")
    assert len(open_library.asked) == 1
    assert not Book.objects.exists()


def test_a_known_answer_is_asked_for_once(as_alice: APIClient, open_library: Server) -> None:
    as_alice.post(URL, {"isbn": TWILIGHT})
    Book.objects.get().remove()
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201
    assert len(open_library.asked) == 1


def deep(handler: Handler) -> None:
    handler.say(b"[" * 100_000)


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65536)
    except OSError:
        pass


def titled(**fields: Any) -> Callable[[Handler], None]:
    body = {f"ISBN:{TWILIGHT}": {"key": "/books/OL1M", **fields}}
    return lambda handler: handler.say(json.dumps(body).encode())


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.say(b"{}", status=500),
        lambda handler: handler.say(b"{}", status=429),
        lambda handler: handler.say(b"{}", status=404),
        lambda handler: handler.say(b"<html>Sorry</html>"),
        lambda handler: handler.say(b""),
        lambda handler: handler.say(b"null"),
        lambda handler: handler.say(b"[]"),
        lambda handler: handler.say(b"[{}]"),
        lambda handler: handler.say(b'{"ISBN:1": {}}'),
        lambda handler: handler.say(b"\xff\xfe\x00"),
        lambda handler: handler.say(b"", status=302, Location="http://169.254.169.254/latest/"),
        lambda handler: handler.say(b"", status=302, Location=handler.path),
        lambda handler: handler.say(b"", status=302),
        lambda handler: handler.say(b"short", **{"Content-Length": "900"}),
        lambda handler: handler.connection.close(),
        deep,
        endless,
        titled(),
        titled(title=None),
        titled(title="\u200b"),
        titled(title=["T"]),
        titled(title="T", authors="Jane"),
        titled(title="T", authors=[["Jane"]]),
        titled(title="T", cover="x"),
    ],
)
def test_a_provider_that_talks_nonsense_is_503(
    as_alice: APIClient, open_library: Server, answer: Callable[[Handler], None]
) -> None:
    open_library.answer = answer
    response = as_alice.post(URL, {"isbn": TWILIGHT})
    assert (response.status_code, response.json()["code"]) == (503, "provider_unavailable")
    assert int(response["Retry-After"]) > 0
    assert not Book.objects.exists()
    open_library.answer = None
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201


def test_a_provider_that_is_down_is_503(as_alice: APIClient, settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.OPENLIBRARY_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 503


def test_a_redirect_on_the_same_host_is_followed(as_alice: APIClient, open_library: Server) -> None:
    def moved(handler: Handler) -> None:
        open_library.answer = None
        handler.say(b"", status=301, Location=handler.path)

    open_library.answer = moved
    assert as_alice.post(URL, {"isbn": TWILIGHT}).status_code == 201


@pytest.mark.parametrize("first_byte", [True, False])
def test_a_slow_provider_is_given_up(
    as_alice: APIClient, open_library: Server, monkeypatch: pytest.MonkeyPatch, first_byte: bool
) -> None:
    """Silent, or speaking one byte at a time for ever."""
    monkeypatch.setattr(providers, "TOTAL_SECONDS", 0.3)
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

    open_library.answer = slow
    began = time.monotonic()
    response = as_alice.post(URL, {"isbn": TWILIGHT})
    over.set()
    assert response.status_code == 503
    assert time.monotonic() - began < 15  # without a limit it would never end


def test_odd_but_sane_answers_are_kept_within_the_catalogues_limits(as_alice: APIClient, open_library: Server) -> None:
    open_library.answer = titled(
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


def test_a_title_is_enough(as_alice: APIClient, open_library: Server) -> None:
    """What speaks like Open Library may give no key of its own, and pictures in some sizes only."""
    found = {"title": "Same", "cover": {"medium": "https://covers.example.org/1-M.jpg"}}
    for isbn in (TWILIGHT, CONCRETE):
        body = json.dumps({f"ISBN:{isbn}": found}).encode()
        open_library.answer = lambda handler, body=body: handler.say(body)  # type: ignore[misc]
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
        (1999, None),
    ],
)
def test_years_are_read_out_of_dates(date: Any, year: int | None) -> None:
    assert providers._year(date) == year


@pytest.mark.parametrize("body", [{}, {"isbn": ""}, {"isbn": None}, {"isbn": "9780306406158"}, {"isbn": 5}])
def test_a_bad_isbn_is_400(as_alice: APIClient, open_library: Server, body: dict[str, Any]) -> None:
    assert list(codes(as_alice.post(URL, body))) == ["isbn"]
    assert open_library.asked == []


def test_who_is_not_signed_in_looks_nothing_up(anonymous: APIClient, open_library: Server, db: None) -> None:
    assert anonymous.post(URL, {"isbn": TWILIGHT}).status_code == 401
    assert open_library.asked == []


def test_lookup_is_a_post(as_alice: APIClient) -> None:
    response = as_alice.get(URL)
    assert response.status_code == 405
    assert "POST" in response["Allow"]


def test_what_the_cache_holds_survives_its_serialiser(open_library: Server, db: None) -> None:
    provider = providers.OpenLibrary(open_library.url)
    first = provider.by_isbn(CONCRETE)
    assert cache.get(f"openlibrary:1:{CONCRETE}") is not None
    assert provider.by_isbn(CONCRETE) == first
    assert len(open_library.asked) == 1
