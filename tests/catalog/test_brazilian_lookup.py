"""POST books/lookup/ with several providers, each simulated by a local server."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from catalog.models import Book
from catalog.providers import chain
from catalog.providers.cleaning import ordinary_case
from tests.catalog.provider_server import Handler, Server, running

pytestmark = pytest.mark.django_db

URL = "/api/v1/books/lookup/"
ENSAIO, OTHER_BRAZILIAN, FOREIGN = "9788571644953", "9786580309313", "9780316015844"
KEY = "a key/&?"

FROM_BRASILAPI = {
    "isbn": ENSAIO,
    "title": "Ensaio sobre a cegueira",
    "subtitle": None,
    "authors": ["JOSÉ SARAMAGO", "MARIA DA SILVA E SOUZA"],
    "publisher": "COMPANHIA DAS LETRAS",
    "synopsis": "Um motorista parado no sinal se descobre subitamente cego.\r\n\r\nÉ o primeiro caso.",
    "dimensions": {"width": 14.0, "height": 21.0, "unit": "CENTIMETER"},
    "year": 1995,
    "format": "PHYSICAL",
    "page_count": 312,
    "subjects": ["Romance português", "FICÇÃO"],
    "location": "SÃO PAULO, SP",
    "retail_price": None,
    "cover_url": None,
    "provider": "cbl",
}


def volume(isbn: str, **info: Any) -> dict[str, Any]:
    """Return a response of Google Books."""
    identifiers = [{"type": "OTHER", "identifier": "OCLC:1"}, {"type": "ISBN_13", "identifier": isbn}]
    volume_info = {
        "title": "Ensaio sobre a cegueira",
        "authors": ["José Saramago"],
        "publishedDate": "2020-03-01",
        "industryIdentifiers": identifiers,
        "pageCount": 0,
        "language": "pt-BR",
        "imageLinks": {"thumbnail": "http://books.google.com/books/content?id=x&img=1"},
    }
    return {"totalItems": 1, "items": [{"id": "abc", "volumeInfo": volume_info | info}]}


def answer(body: Any, status: int = 200) -> Callable[[Handler], None]:
    return lambda handler: handler.send(json.dumps(body).encode(), status)


UNKNOWN = {
    "brasil": answer({"name": "NotFoundError", "message": "ISBN não encontrado", "type": "not_found"}, 404),
    "library": answer({}),
    "google": answer({"kind": "books#volumes", "totalItems": 0}),
}


@pytest.fixture
def servers(settings: Settings) -> Iterator[dict[str, Server]]:
    """Three providers that know no book."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(running()) for name in UNKNOWN}
        for name, server in found.items():
            server.respond = UNKNOWN[name]
        settings.BRASILAPI_URL, settings.OPENLIBRARY_URL = found["brasil"].url, found["library"].url
        settings.GOOGLE_BOOKS_URL, settings.GOOGLE_BOOKS_KEY = found["google"].url, KEY
        yield found


def asked(servers: dict[str, Server]) -> dict[str, int]:
    return {name: len(server.requested_paths) for name, server in servers.items()}


def test_brazilian_isbn_is_looked_up_at_brasilapi_first(as_alice: APIClient, servers: dict[str, Server]) -> None:
    servers["brasil"].respond = answer(FROM_BRASILAPI)
    response = as_alice.post(URL, {"isbn": "978-85-7164-495-3"}, HTTP_ACCEPT_LANGUAGE="pt-BR")
    assert response.status_code == 201, response.content
    book = response.json()
    assert (book["title"], book["authors"]) == ("Ensaio sobre a cegueira", ["José Saramago", "Maria da Silva e Souza"])
    assert (book["language"], book["published_year"], book["page_count"]) == ("pt-BR", 1995, 312)
    assert book["description"] == "Um motorista parado no sinal se descobre subitamente cego.\n\nÉ o primeiro caso."
    assert book["subjects"] == ["Romance português", "FICÇÃO"]
    assert book["local_title"] == "Ensaio sobre a cegueira"
    assert book["editions"] == [
        {
            "isbn13": ENSAIO,
            "title": "Ensaio sobre a cegueira",
            "format": "",
            "page_count": 312,
            "publisher": "Companhia das Letras",
            "language": "pt-BR",
            "published_year": 1995,
        }
    ]
    assert asked(servers) == {"brasil": 1, "library": 0, "google": 0}
    assert servers["brasil"].requested_paths == [f"/api/isbn/v1/{ENSAIO}?providers=cbl,mercado-editorial"]


@pytest.mark.parametrize(
    ("isbn", "calls"),
    [
        (ENSAIO, {"brasil": 1, "library": 1, "google": 1}),
        (OTHER_BRAZILIAN, {"brasil": 1, "library": 1, "google": 1}),
        (FOREIGN, {"brasil": 0, "library": 1, "google": 1}),
    ],
)
def test_unknown_isbn_is_asked_of_all_providers(
    as_alice: APIClient, servers: dict[str, Server], isbn: str, calls: dict[str, int]
) -> None:
    for _attempt in range(2):  # the second is answered by the cache
        response = as_alice.post(URL, {"isbn": isbn})
        assert (response.status_code, response.json()["code"]) == (404, "unknown_isbn")
    assert asked(servers) == calls
    assert servers["google"].requested_paths == [f"/books/v1/volumes?q=isbn:{isbn}&key=a%20key%2F%26%3F"]


def test_google_is_not_asked_without_a_key(as_alice: APIClient, servers: dict[str, Server], settings: Settings) -> None:
    settings.GOOGLE_BOOKS_KEY = ""
    assert as_alice.post(URL, {"isbn": ENSAIO}).status_code == 404
    assert asked(servers)["google"] == 0


def test_google_volume_with_the_isbn_is_added(as_alice: APIClient, servers: dict[str, Server]) -> None:
    other = volume("9780306406157", title="A book that mentions it")["items"]
    servers["google"].respond = answer({"totalItems": 2, "items": [*other, *volume("85-7164-495-X")["items"]]})
    response = as_alice.post(URL, {"isbn": ENSAIO})
    assert response.status_code == 404  # the ISBN-10 has a wrong check digit
    servers["google"].respond = answer({"totalItems": 2, "items": [*other, *volume("8571644950")["items"]]})
    other_isbn = as_alice.post(URL, {"isbn": "9780306406157"})
    assert other_isbn.json()["title"] == "A book that mentions it"
    book = other_isbn.json()
    assert (book["page_count"], book["published_year"], book["language"]) == (None, 2020, "pt-BR")
    assert book["cover_url"] == "https://books.google.com/books/content?id=x&img=1"
    assert Book.objects.get().origin == "googlebooks:abc"


def down(handler: Handler) -> None:
    handler.connection.close()


UNUSABLE_RESPONSES: list[Callable[[Handler], None]] = [
    down,
    answer({"error": "no"}, 500),
    answer({"message": "Too many"}, 429),
    answer(None),
    answer([]),
    answer("text"),
    answer({}),
    answer({"isbn": "9780306406157", "title": "Another book", "authors": ["A"]}),
    answer({"isbn": 5, "title": "T"}),
    answer({"isbn": ENSAIO, "title": ""}),
    answer({"isbn": ENSAIO, "title": "T", "authors": "JOSÉ"}),
    answer({"isbn": ENSAIO, "title": "T", "authors": {"a": "b"}}),
    answer({"isbn": ENSAIO, "title": "T", "authors": 7}),
    lambda handler: handler.send('{"title": "Ensaio é"}'.encode("latin-1")),
    lambda handler: handler.send(b"\x1f\x8b\x08 not gzip", **{"Content-Encoding": "gzip"}),
    lambda handler: handler.send(b"", 302, Location="http://169.254.169.254/latest/"),
    lambda handler: handler.send(b"", 302, Location="http://127.0.0.1:1/"),
    lambda handler: handler.send(b"", 302, Location=handler.path),
    lambda handler: handler.send(b"[" * 500_000),
    lambda handler: handler.send(b" " * 1_000_001),
]


@pytest.mark.parametrize("respond", UNUSABLE_RESPONSES)
def test_unusable_response_is_skipped(
    as_alice: APIClient, servers: dict[str, Server], respond: Callable[[Handler], None]
) -> None:
    servers["brasil"].respond = respond
    response = as_alice.post(URL, {"isbn": ENSAIO})
    # Nobody knows the book, but the one that failed might.
    assert (response.status_code, response.json()["code"]) == (503, "provider_unavailable")
    assert not Book.objects.exists()
    servers["library"].respond = answer({f"ISBN:{OTHER_BRAZILIAN}": {"title": "Torto arado", "key": "/books/OL2M"}})
    assert as_alice.post(URL, {"isbn": OTHER_BRAZILIAN}).status_code == 201


@pytest.mark.parametrize(
    "respond",
    [
        answer({"totalItems": 1, "items": [{"id": "x"}]}),
        answer({"totalItems": 1, "items": [{"volumeInfo": None}]}),
        answer({"totalItems": 1, "items": 5}),
        answer({"items": []}),
        answer({"totalItems": "0"}),
        answer(volume(ENSAIO, title=None)),
        answer({"error": {"code": 403}}, 403),
    ],
)
def test_unusable_response_of_google_is_503(
    as_alice: APIClient, servers: dict[str, Server], respond: Callable[[Handler], None]
) -> None:
    servers["google"].respond = respond
    assert as_alice.post(URL, {"isbn": ENSAIO}).status_code == 503
    servers["google"].respond = answer(volume(ENSAIO))
    assert as_alice.post(URL, {"isbn": ENSAIO}).status_code == 201


def test_unreachable_providers_are_503(as_alice: APIClient, settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.BRASILAPI_URL = settings.OPENLIBRARY_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert as_alice.post(URL, {"isbn": ENSAIO}).status_code == 503


def send_endless_headers(handler: Handler) -> None:
    """Send one header after the other, without an end."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    try:
        for n in range(10_000):
            handler.wfile.write(b"X-%d: 1\r\n" % n)
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def test_provider_with_endless_headers_is_skipped(
    as_alice: APIClient, servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "PROVIDER_SECONDS", 1)
    servers["brasil"].respond = send_endless_headers
    servers["google"].respond = answer(volume(ENSAIO))
    assert as_alice.post(URL, {"isbn": ENSAIO}).status_code == 201


def test_providers_share_the_total_time(
    as_alice: APIClient, servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "TOTAL_SECONDS", 1)
    servers["brasil"].respond = send_endless_headers
    servers["library"].respond = answer({f"ISBN:{ENSAIO}": {"title": "Too late"}})
    assert as_alice.post(URL, {"isbn": ENSAIO}).status_code == 503
    assert asked(servers) == {"brasil": 1, "library": 0, "google": 0}


def test_values_are_limited_and_cleaned(as_alice: APIClient, servers: dict[str, Server]) -> None:
    servers["brasil"].respond = answer(
        FROM_BRASILAPI
        | {
            "title": "T" * 5_000,
            "subtitle": "\ud800\x00",
            "authors": ["A" * 900, "\u200b", None, *[f"Author {n}" for n in range(300)]],
            "synopsis": "<p>Um <b>romance</b></p>\x00<script>x</script>" + "y" * 50_000,
            "page_count": 0,
            "year": 99_999,
            "cover_url": "javascript:alert(1)",
            "format": "DIGITAL",
        }
    )
    response = as_alice.post(URL, {"isbn": ENSAIO})
    assert response.status_code == 201, response.content
    book = response.json()
    assert (len(book["title"]), len(book["authors"]), len(book["authors"][0])) == (500, 50, 200)
    assert (book["page_count"], book["published_year"], book["cover_url"]) == (None, None, None)
    assert (len(book["description"]), book["editions"][0]["format"]) == (10_000, "E-book")
    assert book["description"].startswith("Um romance")
    assert "<" not in book["description"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MACHADO DE ASSIS", "Machado de Assis"),
        ("MARIA DA SILVA E SOUZA DOS SANTOS", "Maria da Silva e Souza dos Santos"),
        ("COMPANHIA DAS LETRAS DO BRASIL", "Companhia das Letras do Brasil"),
        ("J.R.R. TOLKIEN", "J.R.R. Tolkien"),
        ("E. E. CUMMINGS", "E. E. Cummings"),
        ("ANTOINE DE SAINT-EXUPÉRY", "Antoine de Saint-Exupéry"),
        ("MARIA D'ÁVILA", "Maria D'Ávila"),
        ("JOÃO PAULO II", "João Paulo II"),
        ("DA VINCI", "Da Vinci"),
        ("ASSIS, MACHADO DE", "Assis, Machado de"),
        ("XI JINPING", "Xi Jinping"),
        ("JOA\u0303O DA CONCEIC\u0327A\u0303O", "João da Conceição"),
        ("JOSE\u0301", "JOSE\u0301"),
        ("ITAMAR VIEIRA JR", "Itamar Vieira Jr"),
        ("ST. MARTIN'S PRESS", "St. Martin's Press"),
        ("L&PM EDITORES", "L&PM Editores"),
        ("WMF MARTINS FONTES", "WMF Martins Fontes"),
        ("HOMERO", "Homero"),
        ("IBGE", "IBGE"),
        ("Machado DE Assis", "Machado DE Assis"),
        ("bell hooks", "bell hooks"),
        ("村上春樹", "村上春樹"),
        ("1984", "1984"),
        ("", ""),
    ],
)
def test_names_in_capitals_get_ordinary_case(name: str, expected: str) -> None:
    assert ordinary_case(name) == expected
