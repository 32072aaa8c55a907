"""What a row of an export means, and the reading that every source needs."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.text import is_blank, words
from catalog.importing import records
from reviews.importing.markup import plain_text
from reviews.models import BODY_LENGTH

# What is said of rows and files, by the code that is kept.
REASONS = {
    # of a file that cannot be imported
    "not_csv": _("This is no file of comma-separated values in UTF-8."),
    "wrong_columns": _("The first line does not name the columns of such an export."),
    "too_many_rows": _("This has more rows than one import takes."),
    "account_closed": _("The account was closed or suspended."),
    "gave_up": _("The server failed too often; please try again."),
    # of a row that could not be taken
    "bad_cells": _("It has not as many columns as the first line, or quotes that do not match."),
    "unreadable": _("It has characters that are not UTF-8 or cannot be kept."),
    "bad_title": _("It has no title that can be kept."),
    "bad_author": _("It has no author that can be kept."),
    "bad_rating": _("The rating is none."),
    "unexpected": _("An internal error occurred. It has been logged."),
    # of a row that was skipped
    "nothing_to_review": _("Neither rated nor reviewed; shelves have no place here yet."),
    "unchanged": _("The same review is here already."),
    "reviewed_here": _("You have reviewed the book here, or brought another review of it along."),
    "edited_here": _("You have changed the review here since it was brought along."),
    "newer_here": _("The review here is newer."),
    "same_book": _("Another row of the export is about the same book."),
    # of a row that was taken
    "book_added": _("The book was not in the catalogue and has been added."),
    "rating_rounded": _("The rating was rounded to half-stars, quarters upwards."),
    "text_cut": _("The text was too long and has been cut."),
    "bad_date": _("The date could not be used."),
    "bad_isbn": _("The ISBN could not be used."),
}


class BadRowError(Exception):
    """A row that cannot be taken; `code` is one of REASONS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Row:
    """A review and what is known of its book.

    `key` tells the row from the others of its source, also in a later export. `day` is when the book was read or put on
    a shelf. `remarks` are codes of REASONS.
    """

    key: str
    title: str
    authors: list[str]
    rating: int | None
    body: str
    contains_spoilers: bool = False
    day: datetime.datetime | None = None
    isbn13: str = ""
    published_year: int | None = None
    edition: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def title(text: str) -> str:
    """A title. Raises BadRowError."""
    try:
        return records.title(text)
    except records.BadRowError:
        raise BadRowError("bad_title") from None


def authors(texts: Sequence[str]) -> list[str]:
    """One author or more. Raises BadRowError."""
    try:
        found = records.names(texts, "author")[: records.MOST_NAMES]
    except records.BadRowError:
        found = []
    if not found:
        raise BadRowError("bad_author")
    return found


_SUFFIX = re.compile(r"(?:Jr|Sr|Esq|Ph\.?\s?D|M\.?D)\.?|II|III|IV", re.IGNORECASE)


def key(title: str, names: Sequence[str]) -> str:
    """What tells a book without an id from others."""
    return " ".join(words(f"{title} {names[0]}"))


def split_names(text: str) -> list[str]:
    """Names with commas between them; `Jr.` and its like belong to the name before."""
    joined: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if joined and _SUFFIX.fullmatch(part):
            joined[-1] += f", {part}"
        elif part:
            joined.append(part)
    return joined


def review_text(html: str, remarks: list[str]) -> tuple[str, bool]:
    """A review's text without its markup, and whether a part of it was marked as a spoiler."""
    text, spoiler = plain_text(html)
    text = "" if is_blank(text) else text.strip()
    if len(text) > BODY_LENGTH:
        remarks.append("text_cut")
        text = text[: BODY_LENGTH - 1].rstrip() + "…"
    return text, spoiler


def day(texts: Sequence[str], remarks: list[str]) -> datetime.datetime | None:
    """The first of some dates that can be used: its noon in UTC, which is the same day nearly everywhere, or now."""
    for text in texts:
        if found := _date(text.strip()):
            noon = datetime.datetime(found.year, found.month, found.day, 12, tzinfo=datetime.UTC)
            return min(noon, timezone.now())
    if any(text.strip() for text in texts):
        remarks.append("bad_date")
    return None


def _date(text: str) -> datetime.date | None:
    match = re.fullmatch(r"([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})", text)
    try:
        found = match and datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    # Where the reader is, it may be tomorrow already.
    latest = timezone.now().date() + datetime.timedelta(days=1)
    return found if found and found.year >= 1900 and found <= latest else None


def isbn(texts: Sequence[str], remarks: list[str]) -> str:
    """The first of some ISBNs that can be used, in normal form, or `""`."""
    wrong: list[str] = []
    for text in texts:
        if text and (found := records.isbn(text, wrong)):
            return found
    if wrong:
        remarks.append("bad_isbn")
    return ""


def number(text: str) -> int | None:
    """A whole number, if it is one."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,6}", text.strip()) else None
