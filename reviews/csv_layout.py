"""BookBridge's CSV layout: that of Goodreads, with additional columns.

`reviews.csv_export` writes it and `reviews.imports.bookbridge` reads it; docs/imports.md describes it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape, unescape

from core.admin.csv_export import FORMULA_PREFIXES
from readings.models import Reading, ReadingState
from readings.services import PastReading

GOODREADS_COLUMNS = (
    *("Book Id", "Title", "Author", "Author l-f", "Additional Authors", "ISBN", "ISBN13", "My Rating"),
    *("Average Rating", "Publisher", "Binding", "Number of Pages", "Year Published", "Original Publication Year"),
    *("Date Read", "Date Added", "Bookshelves", "Bookshelves with positions", "Exclusive Shelf", "My Review"),
    *("Spoiler", "Private Notes", "Read Count", "Owned Copies"),
)
OWN_COLUMNS = ("Review Title", "Review Language", "Visibility", "Reviewed At", "Readings")
MAX_READINGS = 500
# In `Reviewed At`, of a review without a date.
UNKNOWN_TIME = "unknown"
# In `Readings`: reviewed, but not read here. Goodreads puts every book on a shelf.
NO_READINGS = "none"

_SHELVES = {"finished": "read", "reading": "currently-reading", "stopped": "did-not-finish"}
_GUARDED = re.compile(f"'+[{re.escape(''.join(FORMULA_PREFIXES))}]")
_GUARD = re.compile(f"'*[{re.escape(''.join(FORMULA_PREFIXES))}]")
_DAY = r"(\.\.|[0-9]{4}-[0-9]{2}-[0-9]{2})"
_READING = re.compile(rf"(finished|stopped|reading) {_DAY}/{_DAY}(?: ([0-9]{{1,2}}(?:\.[0-9]{{1,2}})?)%)?")


def guard(text: str) -> str:
    """Return the text with an apostrophe before what a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if _GUARD.match(text) else text


def unguard(text: str) -> str:
    """Return the text that `guard` was given."""
    return text[1:] if _GUARDED.match(text) else text


def to_html(text: str) -> str:
    """Return a review as Goodreads writes it, on one line."""
    return escape(text.replace("\r\n", "\n"), quote=False).replace("\n", "<br/>")


def from_html(html: str) -> str:
    """Return the text that `to_html` was given; spreadsheets and people may have added line breaks."""
    return unescape(re.sub(r"<br\s*/?>", "\n", html.replace("\r\n", "\n").replace("\r", "\n")))


def shelf(readings: Sequence[Reading]) -> str:
    """Return the shelf of Goodreads for the last of the readings; "read" without one, for the review."""
    return _SHELVES[readings[-1].state] if readings else "read"


def format_readings(readings: Sequence[Reading]) -> str:
    """Return the readings: `finished 2024-01-05/2024-01-20; reading 2025-05-01/.. 40%`, or `none`."""
    return "; ".join(map(_format_reading, readings)) or NO_READINGS


def parse_readings(text: str) -> list[PastReading]:
    """Return the readings in a text. Raises ValueError."""
    if text.strip() == NO_READINGS:
        return []
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) > MAX_READINGS:
        raise ValueError("too many readings")
    return list(map(_parse_reading, parts))


def _format_reading(reading: Reading) -> str:
    days = "/".join(day.isoformat() if day else ".." for day in (reading.started_on, reading.finished_on))
    percent = reading.percent.normalize()
    return f"{reading.state} {days}" + (f" {percent:f}%" if percent and not reading.is_finished else "")


def _parse_reading(text: str) -> PastReading:
    match = _READING.fullmatch(text)
    if not match:
        raise ValueError("not a reading")
    start, end = (None if day == ".." else datetime.date.fromisoformat(day) for day in match.group(2, 3))
    days = [day for day in (start, end) if day]
    if days != sorted(days) or not all(_MIN <= day <= _today() for day in days):
        raise ValueError("impossible days")
    if match[1] == ReadingState.READING and end:
        raise ValueError("not finished")
    return PastReading(ReadingState(match[1]), start, end, Decimal(match[4]) if match[4] else None)


_MIN = datetime.date(1900, 1, 1)


def _today() -> datetime.date:
    # It may already be tomorrow in the time zone of the user.
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
