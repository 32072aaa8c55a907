"""Records that parsers return, and the cleaning that all formats share."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from catalog.isbn import normalize_isbn
from catalog.models import FIRST_YEAR, LAST_YEAR, MAX_PAGES, NAME_LENGTH, sort_key
from core.search.normalize import is_blank, to_single_line

MAX_TITLE = 500
MAX_DESCRIPTION = 10_000


class InvalidRowError(Exception):
    """The row is invalid; the message is the reason for the rejects file."""


class SkipReason(Enum):
    """Why a valid row has no record."""

    NOT_IMPORTED = "the catalog does not store such records"
    OTHER_STAGE = "it is read in another pass through the file"


@dataclass(slots=True)
class WorkRecord:
    """A book. `author_keys` refer to AuthorRecords.

    `ignored_fields` lists the fields of the row that had invalid values, such as `isbn`.
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
    ignored_fields: list[str] = field(default_factory=list)


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
    ignored_fields: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AuthorRecord:
    """The name of an author under the key that works refer to."""

    key: str
    name: str


SourceRecord = WorkRecord | EditionRecord | AuthorRecord


def decode(line: bytes) -> str:
    """Return the text of a line. Raises InvalidRowError if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InvalidRowError(f"byte {error.start + 1} of the line is not UTF-8") from None


def clean(text: str, field_name: str, *, max_length: int = NAME_LENGTH) -> str:
    """Return the text in NFC with normalized whitespace, or `""` if it has no visible characters.

    Raises InvalidRowError if it is too long or contains a NUL or a lone surrogate, which databases reject.
    """
    _check_storable(text, field_name)
    # NFC joins at most four characters into one, so a longer text is too long anyway.
    if len(text) <= 4 * max_length:
        text = to_single_line(unicodedata.normalize("NFC", text))
    if len(text) > max_length:
        raise InvalidRowError(f"the {field_name} has {len(text)} characters, more than {max_length}")
    return "" if is_blank(text) else text


def title(text: str) -> str:
    """Return the cleaned title. Raises InvalidRowError if it is empty or invalid."""
    text = clean(text, "title", max_length=MAX_TITLE)
    if not text:
        raise InvalidRowError("there is no title")
    return text


def names(texts: Iterable[str], field_name: str) -> list[str]:
    """Return the distinct cleaned names in order. Raises InvalidRowError if one is invalid."""
    found: dict[str, str] = {}
    for text in texts:
        if name := clean(text, field_name):
            found.setdefault(sort_key(name), name)
    return list(found.values())


def optional(text: str, field_name: str, ignored_fields: list[str], *, max_length: int = NAME_LENGTH) -> str:
    """Return the cleaned value. If it is invalid, add the field to `ignored_fields` and return an empty string."""
    try:
        return clean(text, field_name, max_length=max_length)
    except InvalidRowError:
        ignored_fields.append(field_name)
        return ""


def description(text: str, ignored_fields: list[str]) -> str:
    """Return the cleaned multi-line text, truncated if it is too long."""
    try:
        _check_storable(text, "description")
    except InvalidRowError:
        ignored_fields.append("description")
        return ""
    text = unicodedata.normalize("NFC", text[: 2 * MAX_DESCRIPTION]).replace("\r\n", "\n").strip()
    if is_blank(text):
        return ""
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 1].rstrip() + "…"


def isbn(text: str, ignored_fields: list[str]) -> str:
    """Return the normalized ISBN-13, or `""` if it is invalid."""
    try:
        return normalize_isbn(text)
    except ValueError:
        ignored_fields.append("isbn")
        return ""


def year(number: float | None, ignored_fields: list[str]) -> int | None:
    """Return the year (negative for BCE), or None if it is outside the limits of the catalog."""
    if number is None:
        return None
    # Also false for infinity and NaN.
    if FIRST_YEAR <= number <= LAST_YEAR and number == int(number):
        return int(number)
    ignored_fields.append("year")
    return None


def pages(number: object, ignored_fields: list[str]) -> int | None:
    """Return the page count, or None if it is outside the limits of the catalog."""
    if number is None:
        return None
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MAX_PAGES:
        return number
    ignored_fields.append("pages")
    return None


def _check_storable(text: str, field_name: str) -> None:
    if "\0" in text:
        raise InvalidRowError(f"the {field_name} has a NUL character")
    if re.search("[\ud800-\udfff]", text):
        raise InvalidRowError(f"the {field_name} has a lone surrogate")
