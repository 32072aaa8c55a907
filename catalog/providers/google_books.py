"""Google Books, which needs a key."""

from typing import Any
from urllib.parse import quote

from catalog.isbn import normalize_isbn
from catalog.providers.base import Provider, ProviderBook, parse_json
from catalog.providers.cleaning import join_title, name_list, pages, paragraphs, text, web_url, year
from core.languages import parse_tag


class GoogleBooksProvider(Provider):
    """Google Books, or a service with the same API."""

    name = "googlebooks"

    def __init__(self, url: str, key: str) -> None:
        super().__init__(url)
        self.key = key

    def get_url(self, isbn13: str) -> str:
        """Return the URL of the request."""
        return f"{self.url}/books/v1/volumes?q=isbn:{isbn13}&key={quote(self.key, safe='')}"

    def parse(self, isbn13: str, status: int, body: bytes) -> ProviderBook | None:
        """Return the first volume that has the ISBN; the search also finds texts that mention it."""
        data = parse_json(status, body)
        if not data.get("items") and type(data["totalItems"]) is not int:
            raise ValueError("This is no list of volumes.")
        for item in data.get("items") or []:
            if isbn13 in _isbns(item["volumeInfo"].get("industryIdentifiers") or []):
                return _parse_volume(item)
        return None


def _isbns(identifiers: list[dict[str, Any]]) -> set[str]:
    found = set()
    for identifier in identifiers:
        try:
            found.add(normalize_isbn(identifier["identifier"]))
        except (ValueError, TypeError):  # such as OCLC:123
            continue
    return found


def _parse_volume(item: dict[str, Any]) -> ProviderBook:
    info = item["volumeInfo"]
    title = join_title(info["title"], info.get("subtitle"))
    if not title:
        raise ValueError("The volume has no title.")
    covers = info.get("imageLinks") or {}
    cover = web_url(covers.get("thumbnail")) or web_url(covers.get("smallThumbnail"))
    return ProviderBook(
        title=title,
        authors=name_list(info.get("authors")),
        origin=text(f"googlebooks:{item['id']}", 191) if item.get("id") else None,
        subjects=name_list(info.get("categories"), names=False),
        publisher=next(iter(name_list([info.get("publisher")])), ""),
        published_year=year(info.get("publishedDate")),
        page_count=pages(info.get("pageCount")),
        # Google sends links without TLS, but serves them with it.
        cover_url=cover.replace("http://books.google", "https://books.google", 1),
        language=parse_tag(text(info.get("language"), 40)),
        description=paragraphs(info.get("description")),
    )
