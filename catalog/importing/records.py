"""Records that parsers return, and the cleaning that all formats share."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from bookbridge.api.text import is_blank, on_one_line
from catalog.editions import FIRST_YEAR, LAST_YEAR, MOST_PAGES
from catalog.isbn import normal_isbn
from catalog.names import key_of

MOST_TITLE = 500
MOST_NAME = 200
MOST_NAMES = 50
MOST_DESCRIPTION = 10_000


class BadRowError(Exception):
    """The row is invalid; the message is the reason for the rejects file."""


class Skip(Enum):
    """Why a valid row has no record."""

    NOTHING = "it has nothing for the catalog"
    OTHER_STAGE = "it is read in another pass through the file"


@dataclass(slots=True)
class WorkRecord:
    """A book. `author_keys` refer to AuthorRecords.

    `ignored_fields` names the values of the row that were not usable, such as `isbn`.
    """

    origin: str
    title: str
    authors: list[str] = field(default_factory=list)
    author_keys: list[str] = field(default_factory=list)
    isbn13: str = ""
    published_year: int | None = None
    language: str = ""
    description: str = ""
    subjects: list[str] = field(default_factory=list)
    cover_url: str = ""
    left_out: list[str] = field(default_factory=list)


@dataclass(slots=True)
class EditionRecord:
    """An edition of the book whose origin is `work`."""

    work: str
    isbn13: str
    format: str = ""
    page_count: int | None = None
    publisher: str = ""
    language: str = ""
    published_year: int | None = None
    left_out: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AuthorRecord:
    """The name of an author under the key that works refer to."""

    key: str
    name: str


Record = WorkRecord | EditionRecord | AuthorRecord


def decode(line: bytes) -> str:
    """Return the text of a line. Raises InvalidRowError if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise BadRowError(f"byte {error.start + 1} of the line is not UTF-8") from None


def clean(text: str, what: str, *, most: int = MOST_NAME) -> str:
    """Return the text in NFC with normalized whitespace; `""` if nothing of it is visible.

    Raises InvalidRowError if a database cannot store it (a NUL, a lone surrogate) or it is longer than `most`.
    """
    _refuse_unstorable(text, what)
    # NFC joins at most four characters into one, so a longer text is too long anyway.
    if len(text) <= 4 * most:
        text = on_one_line(unicodedata.normalize("NFC", text))
    if len(text) > most:
        raise BadRowError(f"the {what} has {len(text)} characters, more than {most}")
    return "" if is_blank(text) else text


def title(text: str) -> str:
    """Return a clean title. Raises InvalidRowError if it is empty or invalid."""
    text = clean(text, "title", most=MOST_TITLE)
    if not text:
        raise BadRowError("there is no title")
    return text


def names(texts: Iterable[str], what: str) -> list[str]:
    """Return distinct clean names in order. Raises InvalidRowError if one is invalid."""
    found: dict[str, str] = {}
    for text in texts:
        if name := clean(text, what):
            found.setdefault(key_of(name), name)
    return list(found.values())


def optional(text: str, what: str, left_out: list[str], *, most: int = MOST_NAME) -> str:
    """Return a clean value; if it is invalid, add it to the ignored fields and return an empty string."""
    try:
        return clean(text, what, most=most)
    except BadRowError:
        left_out.append(what)
        return ""


def description(text: str, left_out: list[str]) -> str:
    """Return clean text of several lines, truncated if too long."""
    try:
        _refuse_unstorable(text, "description")
    except BadRowError:
        left_out.append("description")
        return ""
    text = unicodedata.normalize("NFC", text[: 2 * MOST_DESCRIPTION]).replace("\r\n", "\n").strip()
    if is_blank(text):
        return ""
    return text if len(text) <= MOST_DESCRIPTION else text[: MOST_DESCRIPTION - 1].rstrip() + "…"


def isbn(text: str, left_out: list[str]) -> str:
    """Return the normalized ISBN-13, or `""`."""
    try:
        return normal_isbn(text)
    except ValueError:
        left_out.append("isbn")
        return ""


def year(number: float | None, left_out: list[str]) -> int | None:
    """Return a year, negative before the common era, or None if it is outside the limits of the catalog."""
    if number is None:
        return None
    # Also false for infinity and NaN.
    if FIRST_YEAR <= number <= LAST_YEAR and number == int(number):
        return int(number)
    left_out.append("year")
    return None


def pages(number: object, left_out: list[str]) -> int | None:
    """Return a page count, or None if it is outside the limits of the catalog."""
    if number is None:
        return None
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MOST_PAGES:
        return number
    left_out.append("pages")
    return None


def _refuse_unstorable(text: str, what: str) -> None:
    if "\0" in text:
        raise BadRowError(f"the {what} has a NUL character")
    if re.search("[\ud800-\udfff]", text):
        raise BadRowError(f"the {what} has a lone surrogate")
