"""Parsed rows of an export, and parsing shared by all formats."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils import timezone

from catalog.identity import NAME_SUFFIX
from catalog.imports import records
from catalog.models import MAX_NAMES
from core.search.normalize import is_blank, split_words, to_single_line
from readings.models import ReadingState
from readings.services import PastReading
from reviews.imports.dates import AmbiguousDateError, parse_date
from reviews.imports.errors import InvalidRowError
from reviews.imports.markup import html_to_text
from reviews.models import BODY_LENGTH

# An ISBN-10 that had two or three leading zeros; `normalize_isbn` restores a single one.
_LOST_ZEROS = re.compile(r"[1-9][0-9]{5,6}[0-9X]", re.IGNORECASE)
# Digits that a spreadsheet rounded, such as `9.78014E+12`.
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]*)?E\+?[0-9]+", re.IGNORECASE)

REVIEW_TITLE_LENGTH = 200

# Earlier readings of one book that a row may have.
MAX_REREADS = 50

# What follows the comma in `Tolkien, J. R. R.`
_INITIALS = re.compile(r"(?:[^\W\d_]\.[\s-]*)+")


@dataclass(slots=True)
class ReviewRow:
    """A review, the readings and the data of a book.

    `key` identifies the row within its source, also in later exports. `date_read` is when the book was read or shelved.
    `warnings` are keys of `REASON_MESSAGES`.
    """

    key: str
    title: str
    authors: list[str]
    rating: int | None
    body: str
    contains_spoilers: bool = False
    date_read: datetime.datetime | None = None
    isbn13: str = ""
    published_year: int | None = None
    edition: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    readings: list[PastReading] = field(default_factory=list)
    review_title: str = ""
    # Empty for the visibility of the import and for the language of the user.
    visibility: str = ""
    language: str = ""

    @property
    def has_review(self) -> bool:
        """Whether the row has a rating or a text. Other rows only tell that the book was read."""
        return self.rating is not None or bool(self.body or self.review_title)


def title(text: str) -> str:
    """Return the normalized title. Raises InvalidRowError."""
    try:
        return records.title(text)
    except records.InvalidRowError:
        raise InvalidRowError("bad_title") from None


def authors(texts: Sequence[str]) -> list[str]:
    """Return the normalized authors, at least one. Invalid authors after the first are ignored.

    Raises InvalidRowError.
    """
    first, *others = [text for text in texts if not is_blank(text)] or [""]
    try:
        names = records.names([first, *(records.optional(text, "author", []) for text in others)], "author")
    except records.InvalidRowError:
        names = []
    if not names:
        raise InvalidRowError("bad_author")
    return names[:MAX_NAMES]


def key(title: str, author: str) -> str:
    """Return the key of a row without an id."""
    return " ".join(split_words(f"{title} {author}"))


def split_names(text: str, *, separators: str = ",，;；、") -> list[str]:
    """Split names; suffixes such as `Jr.` belong to the preceding name, and initials come before it."""
    names: list[str] = []
    for part in (part.strip() for part in re.split(f"[{separators}]", text)):
        if names and NAME_SUFFIX.fullmatch(part):
            names[-1] += f", {part}"
        elif names and _INITIALS.fullmatch(part) and not re.search(r"\b\w\.", names[-1]):
            names[-1] = f"{part} {names[-1]}"
        elif part:
            names.append(part)
    return names


def review_text(html: str, warnings: list[str]) -> tuple[str, bool]:
    """Return the text without markup, and whether a part of it was marked as a spoiler."""
    text, spoiler = html_to_text(html)
    return body(text, warnings), spoiler


def body(text: str, warnings: list[str]) -> str:
    """Return the text of a review, truncated; an empty string if it has no visible character."""
    text = "" if is_blank(text) else text.strip()
    if len(text) > BODY_LENGTH:
        warnings.append("text_cut")
        text = text[: BODY_LENGTH - 1].rstrip() + "…"
    return text


def review_title(text: str) -> str:
    """Return the title of a review on one line, truncated; an empty string without one."""
    line = to_single_line(text)
    return "" if is_blank(line) else line[:REVIEW_TITLE_LENGTH].rstrip()


def rating(text: str, warnings: list[str]) -> int | None:
    """Return the rating in half-stars, quarters rounded up; None for none or zero. Raises InvalidRowError."""
    number = text.strip().replace(",", ".")
    if not re.fullmatch(r"([0-5](\.[0-9]{1,2})?)?", number) or Decimal(number or 0) > 5:
        raise InvalidRowError("bad_rating")
    exact = Decimal(number or 0) * 2
    half_stars = exact.quantize(Decimal(1), ROUND_HALF_UP)
    if half_stars != exact:
        warnings.append("rating_rounded")
    return int(half_stars) or None


def date_read(texts: Sequence[str], warnings: list[str], *, day_first: bool | None = None) -> datetime.datetime | None:
    """Return the date in the first cell that is not empty as noon in UTC, the same day in nearly all time zones.

    If noon of that day is still in the future, return the current time. No other date replaces one that cannot be read:
    the day on which a book was shelved is not the one on which it was read.
    """
    text = next(filter(str.strip, texts), "")
    try:
        day = parse_date(unformatted(text), day_first=day_first)
    except AmbiguousDateError:
        warnings.append("ambiguous_date")
    except ValueError:
        warnings.append("bad_date" if text else "no_date")
    else:
        noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC)
        return min(noon, timezone.now())
    return None


def day(text: str, *, day_first: bool | None = None) -> datetime.date | None:
    """Return the day in a cell, not after today; None for an empty or invalid cell."""
    found = any_day(text, day_first=day_first)
    return min(found, timezone.now().date()) if found else None


def any_day(text: str, *, day_first: bool | None = None) -> datetime.date | None:
    """Return the day in a cell, None for an empty or invalid cell, or one in the future."""
    try:
        return parse_date(unformatted(text), day_first=day_first)
    except ValueError:
        return None


def repeated(last: PastReading, earlier: int) -> list[PastReading]:
    """Return a reading, after a number of earlier ones of the whole book whose days are not known."""
    return [PastReading(ReadingState.FINISHED)] * min(max(earlier, 0), MAX_REREADS) + [last]


def isbn(texts: Sequence[str], warnings: list[str]) -> str:
    """Return the first valid ISBN in normal form, or an empty string."""
    problems: list[str] = []
    for text in filter(None, map(unformatted, texts)):
        if _SCIENTIFIC.fullmatch(text):
            problems.append("rounded_isbn")
        elif found := records.isbn(text.rjust(10, "0") if _LOST_ZEROS.fullmatch(text) else text, problems):
            return found
    if problems:
        warnings.append("rounded_isbn" if "rounded_isbn" in problems else "bad_isbn")
    return ""


def unformatted(text: str) -> str:
    """Return what a spreadsheet shows of a cell: `="0439023483"`, `'0439023483` or `439023483.0`."""
    return re.sub(r"(?<=[0-9])[.,]0+$", "", text.strip().removeprefix("=").strip("\"'"))


def number(text: str) -> int | None:
    """Return the integer in `text`, or None."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,6}", text.strip()) else None
