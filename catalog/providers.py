"""Book providers: external services that look up books by ISBN."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import httpx
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from catalog.models import FIRST_YEAR, LAST_YEAR, MAX_PAGES
from core.api.exceptions import ServiceUnavailable
from core.search.normalize import is_blank, to_single_line

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 4.0
MAX_REDIRECTS = 2
MAX_BYTES = 1_000_000
HIT_TTL = 24 * 3600
MISS_TTL = 3600
MAX_NAMES = 50


@dataclass(frozen=True)
class ProviderBook:
    """A book as a provider describes it, within the limits of the catalog."""

    title: str
    authors: list[str]
    origin: str | None = None
    subjects: list[str] = field(default_factory=list)
    publisher: str = ""
    published_year: int | None = None
    page_count: int | None = None
    cover_url: str = ""

    def as_fields(self) -> dict[str, Any]:
        """Return the arguments of `Book.create_book`."""
        fields = asdict(self)
        publisher = fields.pop("publisher")
        edition = {name: fields[name] for name in ("published_year", "page_count")}
        return fields | {"edition": edition | {"publisher": publisher}}


class Provider(Protocol):
    """An external service that looks up books."""

    def get_by_isbn(self, isbn13: str) -> ProviderBook | None:
        """Return the book with this normalized ISBN-13 or None. Raises ServiceUnavailable `provider_unavailable`."""


class OpenLibraryProvider:
    """Open Library, or a service with the same API. Results are cached, misses for a shorter time."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get_by_isbn(self, isbn13: str) -> ProviderBook | None:
        """Return the book with this normalized ISBN-13 or None. Raises ServiceUnavailable `provider_unavailable`."""
        key = f"openlibrary:2:{isbn13}"
        cached = cache.get(key)
        if isinstance(cached, dict):
            return ProviderBook(**cached["book"]) if cached.get("book") else None
        book = self._request(isbn13)
        cache.set(key, {"book": book and asdict(book)}, HIT_TTL if book else MISS_TTL)
        return book

    def _request(self, isbn13: str) -> ProviderBook | None:
        name = f"ISBN:{isbn13}"
        try:
            # Not passed as `params`: httpx would encode the colon as %3A.
            body = _fetch(f"{self.url}/api/books?bibkeys={name}&jscmd=data&format=json")
            data = json.loads(body)
            return _parse_book(data[name]) if data != {} else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ServiceUnavailable(
                "provider_unavailable", _("The book provider is not responding. Please try again later.")
            ) from None


def default_provider() -> Provider:
    """Return the provider that the settings configure."""
    return OpenLibraryProvider(settings.OPENLIBRARY_URL)


def _fetch(url: str) -> bytes:
    """Return the body of a GET request, within the limits above. Raises httpx.HTTPError or ValueError."""
    deadline = time.monotonic() + TOTAL_SECONDS
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    with httpx.Client(timeout=timeout, headers={"User-Agent": "BookBridge/1"}) as client:
        request = client.build_request("GET", url)
        host = request.url.host
        for _attempt in range(MAX_REDIRECTS + 1):
            response = client.send(request, stream=True)
            try:
                if response.next_request is None:
                    response.raise_for_status()
                    return b"".join(_read_limited(response, deadline))
                request = response.next_request
            finally:
                response.close()
            if request.url.host != host:
                raise ValueError("Redirected to another host.")
    raise ValueError("Too many redirects.")


def _read_limited(response: httpx.Response, deadline: float) -> Iterator[bytes]:
    """Yield the body in chunks until it is too long or too slow; httpx limits only the time of each read."""
    length = 0
    for chunk in response.iter_bytes():
        length += len(chunk)
        if length > MAX_BYTES or time.monotonic() > deadline:
            raise ValueError("The response is too long or too slow.")
        yield chunk


def _parse_book(data: dict[str, Any]) -> ProviderBook:
    """Return the book in an entry of `jscmd=data`. Raises ValueError or TypeError if it is malformed."""
    title, subtitle = _text(data["title"], 500), _text(data.get("subtitle"), 500)
    if not title:
        raise ValueError("The book has no title.")
    return ProviderBook(
        title=_text(f"{title}: {subtitle}" if subtitle else title, 500),
        authors=_names(data.get("authors")) or _authors_from_statement(data.get("by_statement")),
        origin=_text(f"openlibrary:{data['key']}", 191) if data.get("key") else None,
        subjects=[name for name in _names(data.get("subjects")) if not _MACHINE_TAG.match(name)],
        publisher=next(iter(_names(data.get("publishers"))), ""),
        published_year=_year(data.get("publish_date")),
        page_count=_pages(data.get("number_of_pages")),
        cover_url=_cover(data.get("cover") or {}),
    )


# Such as "nyt:series_books=2008-03-15".
_MACHINE_TAG = re.compile(r"[a-z_]+:\S+=")


def _text(value: Any, max_length: int) -> str:
    """Return `value` on one line, storable and truncated to `max_length` characters; "" if it is not a string."""
    if not isinstance(value, str):
        return ""
    clean = to_single_line(value.replace("\x00", "").encode("utf-8", "ignore").decode())
    return "" if is_blank(clean) else clean[:max_length].rstrip()


def _names(entries: Any) -> list[str]:
    """Return the distinct names in a list of `{"name": ...}`."""
    names = (_text(entry.get("name"), 200) for entry in entries or [])
    return list(dict.fromkeys(name for name in names if name))[:MAX_NAMES]


# What follows the authors in a statement of responsibility.
_CONTRIBUTORS = re.compile(
    r"[;/:]|\.{3}|…|\bet al\b|,?\s(?:illustrated|translated|edited|adapted|retold|with|tradu|ilustra)", re.IGNORECASE
)
_AND = re.compile(r",(?!\s*[JS]r\b)(?:\s*(?:and|&|e)\s)?|\s(?:and|&|e|et|und)\s")
_PARTICLES = frozenset("da das de del della der di do dos du e el la le ten van von y".split())


def _authors_from_statement(statement: Any) -> list[str]:
    """Return the authors in a statement such as "by Jane Doe and John Roe.", used where no authors are listed.

    The statement is free text: unless every part reads as a name, none is returned.
    """
    text = _CONTRIBUTORS.split(re.sub(r"[\[\]]", "", _text(statement, 500)))[0]
    text = re.sub(r"^(?:written )?(?:by|por)\s", "", text, flags=re.IGNORECASE)
    names = [_text(name.rstrip(" ."), 200) for name in _AND.split(text)]
    if len(names) > 1 and any(" " not in name for name in names):  # such as "Doe, Jane"
        return []
    return list(dict.fromkeys(names))[:MAX_NAMES] if all(map(_is_name, names)) else []


def _is_name(text: str) -> bool:
    """Return whether the text is up to six capitalized words; particles such as "de" may be among them."""
    words = re.findall(r"[^\W\d_][\w.,'’-]*", text)
    if not 1 <= len(words) <= 6 or " ".join(words) != text:
        return False
    return words[-1][0].isupper() and all(word[0].isupper() or word in _PARTICLES for word in words)


def _year(date: Any) -> int | None:
    """Return the year of a free-form date: "March 2009", "Oct 12, 1999", "c1985", "1988-05"."""
    found = re.search(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)", _text(date, 100))
    return int(found[0]) if found and FIRST_YEAR <= int(found[0]) <= LAST_YEAR else None


def _pages(number: Any) -> int | None:
    return number if isinstance(number, int) and 1 <= number <= MAX_PAGES else None


def _cover(sizes: dict[str, Any]) -> str:
    """Return the URL of the largest cover, "" without one."""
    return next(filter(None, (_web_url(sizes.get(size)) for size in ("large", "medium", "small"))), "")


def _web_url(url: Any) -> str:
    text = _text(url, 501)
    return text if text.startswith(("https://", "http://")) and len(text) <= 500 and " " not in text else ""
