"""Open Library."""

import re
from typing import Any

from catalog.models import NAME_LENGTH
from catalog.providers.base import Provider, ProviderBook, parse_json
from catalog.providers.cleaning import join_title, name_list, pages, text, web_url, year
from core.languages import parse_tag


class OpenLibraryProvider(Provider):
    """Open Library, or a service with the same API."""

    name = "openlibrary"

    def get_url(self, isbn13: str) -> str:
        """Return the URL of the request."""
        # Without encoding the colon as %3A.
        return f"{self.url}/api/books?bibkeys=ISBN:{isbn13}&jscmd=data&format=json"

    def parse(self, isbn13: str, status: int, body: bytes) -> ProviderBook | None:
        """Return the book in a response; an empty object says that there is none."""
        data = parse_json(status, body)
        return _parse_book(data[f"ISBN:{isbn13}"]) if data != {} else None


def _parse_book(data: dict[str, Any]) -> ProviderBook:
    """Return the book in an entry of `jscmd=data`. Raises ValueError or TypeError if it is malformed."""
    title = join_title(data["title"], data.get("subtitle"))
    if not title:
        raise ValueError("The book has no title.")
    languages = [entry.get("key") for entry in data.get("languages") or []]
    return ProviderBook(
        title=title,
        authors=_names(data.get("authors")) or _authors_from_statement(data.get("by_statement")),
        origin=text(f"openlibrary:{data['key']}", 191) if data.get("key") else None,
        subjects=[name for name in _names(data.get("subjects"), names=False) if not _MACHINE_TAG.match(name)],
        publisher=next(iter(_names(data.get("publishers"))), ""),
        published_year=year(data.get("publish_date")),
        page_count=pages(data.get("number_of_pages")),
        cover_url=_cover(data.get("cover") or {}),
        # A book in several languages has none of them.
        language=parse_tag(text(languages[0], 40).removeprefix("/languages/")) if len(languages) == 1 else "",
    )


# Such as "nyt:series_books=2008-03-15".
_MACHINE_TAG = re.compile(r"[a-z_]+:\S+=")


def _names(entries: Any, *, names: bool = True) -> list[str]:
    """Return the distinct names in a list of `{"name": ...}`."""
    return name_list([entry.get("name") for entry in entries or []], names=names)


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
    part = _CONTRIBUTORS.split(re.sub(r"[\[\]]", "", text(statement, 500)))[0]
    part = re.sub(r"^(?:written )?(?:by|por)\s", "", part, flags=re.IGNORECASE)
    names = [text(name.rstrip(" ."), NAME_LENGTH) for name in _AND.split(part)]
    if len(names) > 1 and any(" " not in name for name in names):  # such as "Doe, Jane"
        return []
    return name_list(names) if all(map(_is_name, names)) else []


def _is_name(name: str) -> bool:
    """Return whether the text is up to six capitalized words; particles such as "de" may be among them."""
    words = re.findall(r"[^\W\d_][\w.,'’-]*", name)
    if not 1 <= len(words) <= 6 or " ".join(words) != name:
        return False
    return words[-1][0].isupper() and all(word[0].isupper() or word in _PARTICLES for word in words)


def _cover(sizes: dict[str, Any]) -> str:
    """Return the URL of the largest cover, "" without one."""
    return next(filter(None, (web_url(sizes.get(size)) for size in ("large", "medium", "small"))), "")
