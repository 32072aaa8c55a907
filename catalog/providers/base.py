"""The interface of book providers."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from django.core.cache import cache

from catalog.providers.http import fetch

HIT_TTL = 24 * 3600
MISS_TTL = 3600
# What unusable responses raise when they are parsed.
PARSE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


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
    language: str = ""
    format: str = ""
    description: str = ""

    @property
    def edition_fields(self) -> dict[str, Any]:
        """The columns of the edition."""
        names = ("title", "format", "publisher", "language", "page_count", "published_year")
        return {name: getattr(self, name) for name in names}

    @property
    def book_fields(self) -> dict[str, Any]:
        """The arguments of `Book.create_book`."""
        fields = asdict(self)
        del fields["publisher"], fields["format"]
        return fields | {"edition": self.edition_fields}


class ProviderError(Exception):
    """The provider is down, too slow, or its response is unusable."""


class Provider:
    """An external service that looks up books. Results are cached, misses for a shorter time."""

    # Changes with the columns of `ProviderBook`.
    cache_version = 3
    name = ""

    def __init__(self, url: str) -> None:
        self.url = url

    def get_by_isbn(self, isbn13: str, *, seconds: float) -> ProviderBook | None:
        """Return the book with this normalized ISBN-13, None if the provider does not know it. Raises ProviderError."""
        key = f"{self.name}:{self.cache_version}:{isbn13}"
        cached = cache.get(key)
        if isinstance(cached, dict):
            return ProviderBook(**cached["book"]) if cached.get("book") else None
        book = self._request(isbn13, seconds)
        cache.set(key, {"book": book and asdict(book)}, HIT_TTL if book else MISS_TTL)
        return book

    def _request(self, isbn13: str, seconds: float) -> ProviderBook | None:
        try:
            status, body = fetch(self.get_url(isbn13), seconds=seconds)
            return self.parse(isbn13, status, body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, *PARSE_ERRORS) as error:
            # Without the URL, which may contain a key.
            raise ProviderError(f"{self.name}: {type(error).__name__}") from None

    def get_url(self, isbn13: str) -> str:
        """Return the URL of the request."""
        raise NotImplementedError

    def parse(self, isbn13: str, status: int, body: bytes) -> ProviderBook | None:
        """Return the book in a response, None if it says that there is none. Raises one of PARSE_ERRORS."""
        raise NotImplementedError


def parse_json(status: int, body: bytes) -> Any:
    """Return the value of a successful response. Raises ValueError."""
    if status != 200:
        raise ValueError(f"The status is {status}.")
    return json.loads(body)
