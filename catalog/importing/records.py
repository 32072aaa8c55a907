"""What a reader makes of a row, and the cleaning that every format needs."""

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
    """A row that cannot be read; its text is the reason, for the rejects file."""


class Skip(Enum):
    """Why a row that is as it should be gives no record."""

    NOTHING = "it holds nothing for the catalogue"
    OTHER_STAGE = "it is read in another pass through the file"


@dataclass(slots=True)
class WorkRecord:
    """One book. `author_keys` stand for names that AuthorRecords have given.

    `left_out` names the values that the row had and that could not be used, such as `isbn`.
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
    """One edition of the book whose origin is `work`."""

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
    """An author's name under the key that works refer to."""

    key: str
    name: str


Record = WorkRecord | EditionRecord | AuthorRecord


def decode(line: bytes) -> str:
    """The text of a line. Raises BadRowError where it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise BadRowError(f"byte {error.start + 1} of the line is not UTF-8") from None


def clean(text: str, what: str, *, most: int = MOST_NAME) -> str:
    """The text in NFC without outer and doubled space; `""` where there is nothing to be seen.

    Raises BadRowError where no database keeps it (a NUL, a lone surrogate), or it has more than `most` characters.
    """
    _refuse_unstorable(text, what)
    # A letter may be four characters that NFC makes one; what is longer than that is not worth the work.
    if len(text) <= 4 * most:
        text = on_one_line(unicodedata.normalize("NFC", text))
    if len(text) > most:
        raise BadRowError(f"the {what} has {len(text)} characters, more than {most}")
    return "" if is_blank(text) else text


def title(text: str) -> str:
    """A title. Raises BadRowError where there is none, or none that can be kept."""
    text = clean(text, "title", most=MOST_TITLE)
    if not text:
        raise BadRowError("there is no title")
    return text


def names(texts: Iterable[str], what: str) -> list[str]:
    """Names in their order, each once. Raises BadRowError where one cannot be kept."""
    found: dict[str, str] = {}
    for text in texts:
        if name := clean(text, what):
            found.setdefault(key_of(name), name)
    return list(found.values())


def optional(text: str, what: str, left_out: list[str], *, most: int = MOST_NAME) -> str:
    """As `clean`, for a value without which the row is still good: what cannot be kept is named in `left_out`."""
    try:
        return clean(text, what, most=most)
    except BadRowError:
        left_out.append(what)
        return ""


def description(text: str, left_out: list[str]) -> str:
    """A text of several lines, cut where it is too long."""
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
    """An ISBN-13 in normal form, or `""`."""
    try:
        return normal_isbn(text)
    except ValueError:
        left_out.append("isbn")
        return ""


def year(number: float | None, left_out: list[str]) -> int | None:
    """A year, negative before the common era, if it is one that the catalogue takes."""
    if number is None:
        return None
    # Also false for infinity and for what is not a number.
    if FIRST_YEAR <= number <= LAST_YEAR and number == int(number):
        return int(number)
    left_out.append("year")
    return None


def pages(number: object, left_out: list[str]) -> int | None:
    """A number of pages, if it is one that a book can have."""
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
        raise BadRowError(f"the {what} has half a character (a lone surrogate)")
