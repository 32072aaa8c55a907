"""Parsed rows of an export, and parsing shared by all formats."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.imports import records
from core.search.normalize import is_blank, split_words
from reviews.imports.markup import html_to_text
from reviews.models import BODY_LENGTH

# Messages by the stored code.
REASON_MESSAGES = {
    # invalid file
    "not_csv": _("This is not a valid CSV file in UTF-8."),
    "wrong_columns": _("The header row does not match this kind of export."),
    "too_many_rows": _("The file has too many rows for one import."),
    "account_closed": _("The account was closed or suspended."),
    "gave_up": _("The import failed repeatedly. Please try again later."),
    # failed row
    "bad_cells": _("Wrong number of columns, or unbalanced quotes."),
    "unreadable": _("Invalid UTF-8 or unsupported characters."),
    "bad_title": _("The title is missing or invalid."),
    "bad_author": _("The author is missing or invalid."),
    "bad_rating": _("Invalid rating."),
    "unexpected": _("An internal error occurred. It has been logged."),
    # skipped row
    "nothing_to_review": _("Skipped: no rating and no review."),
    "unchanged": _("The same review already exists."),
    "reviewed_here": _("You already have a review of this book."),
    "edited_here": _("You have edited the review since it was imported."),
    "newer_here": _("Your existing review is newer."),
    "same_book": _("Another row of the file is about the same book."),
    # warning about an imported row
    "book_added": _("The book was not in the catalog and has been added."),
    "rating_rounded": _("The rating was rounded to half stars."),
    "text_cut": _("The text was too long and has been truncated."),
    "bad_date": _("Invalid date ignored."),
    "bad_isbn": _("Invalid ISBN ignored."),
}


class InvalidRowError(Exception):
    """The row cannot be imported; `code` is a key of `REASON_MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class ReviewRow:
    """A review and the data of its book.

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


def title(text: str) -> str:
    """Return the normalized title. Raises InvalidRowError."""
    try:
        return records.title(text)
    except records.InvalidRowError:
        raise InvalidRowError("bad_title") from None


def authors(texts: Sequence[str]) -> list[str]:
    """Return the normalized authors, at least one. Raises InvalidRowError."""
    try:
        names = records.names(texts, "author")[: records.MAX_NAMES]
    except records.InvalidRowError:
        names = []
    if not names:
        raise InvalidRowError("bad_author")
    return names


_SUFFIX = re.compile(r"(?:Jr|Sr|Esq|Ph\.?\s?D|M\.?D)\.?|II|III|IV", re.IGNORECASE)


def key(title: str, names: Sequence[str]) -> str:
    """Return the key of a row without an id."""
    return " ".join(split_words(f"{title} {names[0]}"))


def split_names(text: str) -> list[str]:
    """Split comma-separated names; suffixes such as `Jr.` belong to the preceding name."""
    joined: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if joined and _SUFFIX.fullmatch(part):
            joined[-1] += f", {part}"
        elif part:
            joined.append(part)
    return joined


def review_text(html: str, warnings: list[str]) -> tuple[str, bool]:
    """Return the text without markup, and whether a part of it was marked as a spoiler."""
    text, spoiler = html_to_text(html)
    text = "" if is_blank(text) else text.strip()
    if len(text) > BODY_LENGTH:
        warnings.append("text_cut")
        text = text[: BODY_LENGTH - 1].rstrip() + "…"
    return text, spoiler


def date_read(texts: Sequence[str], warnings: list[str]) -> datetime.datetime | None:
    """Return the first valid date as noon in UTC, which is the same day in nearly all time zones.

    If noon of that day is still in the future, return the current time.
    """
    for text in texts:
        if day := _date(text.strip()):
            noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC)
            return min(noon, timezone.now())
    if any(text.strip() for text in texts):
        warnings.append("bad_date")
    return None


def _date(text: str) -> datetime.date | None:
    match = re.fullmatch(r"([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})", text)
    try:
        day = match and datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    # It may already be tomorrow in the time zone of the user.
    latest = timezone.now().date() + datetime.timedelta(days=1)
    return day if day and day.year >= 1900 and day <= latest else None


def isbn(texts: Sequence[str], warnings: list[str]) -> str:
    """Return the first valid ISBN in normal form, or an empty string."""
    invalid: list[str] = []
    for text in texts:
        if text and (found := records.isbn(text, invalid)):
            return found
    if invalid:
        warnings.append("bad_isbn")
    return ""


def number(text: str) -> int | None:
    """Return the integer in `text`, or None."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,6}", text.strip()) else None
