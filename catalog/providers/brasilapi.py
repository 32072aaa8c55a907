"""BrasilAPI, which asks the registries of the Brazilian book trade."""

from typing import Any

from catalog.isbn import normalize_isbn
from catalog.providers.base import Provider, ProviderBook, parse_json
from catalog.providers.cleaning import join_title, name_list, pages, paragraphs, text, web_url, year

# The registries do not name the language; nearly all books with an ISBN of Brazil are in Portuguese.
LANGUAGE = "pt-br"


class BrasilAPIProvider(Provider):
    """BrasilAPI, or a service with the same API."""

    name = "brasilapi"

    def get_url(self, isbn13: str) -> str:
        """Return the URL of the request."""
        return f"{self.url}/api/isbn/v1/{isbn13}?providers=cbl,mercado-editorial"

    def parse(self, isbn13: str, status: int, body: bytes) -> ProviderBook | None:
        """Return the book in a response, or None for 404."""
        return None if status == 404 else _parse_book(isbn13, parse_json(status, body))


def _parse_book(isbn13: str, data: dict[str, Any]) -> ProviderBook:
    title = join_title(data["title"], data.get("subtitle"))
    if not title or normalize_isbn(data.get("isbn") or isbn13) != isbn13:
        raise ValueError("This is not the book.")
    return ProviderBook(
        title=title,
        authors=name_list(data.get("authors")),
        origin=f"brasilapi:{isbn13}",
        subjects=name_list(data.get("subjects"), names=False),
        publisher=next(iter(name_list([data.get("publisher")])), ""),
        published_year=year(data.get("year")),
        page_count=pages(data.get("page_count")),
        cover_url=web_url(data.get("cover_url")),
        language=LANGUAGE,
        format="E-book" if text(data.get("format"), 20).upper() == "DIGITAL" else "",
        description=paragraphs(data.get("synopsis")),
    )
