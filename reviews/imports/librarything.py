"""Parser for the LibraryThing export (More, Import/Export, tab-delimited text).

The format, and how it is read:

- `Primary Author` is written `Cortázar, Julio`; `Secondary Author` has further ones, separated by `|`.
- Dates and `ISBN` are in brackets: `[2007-05-08]`. `ISBNs` lists all spellings.
- `Rating` is in halves, 0.5 to 5.
- `Date Started` and `Date Read` may have several days, one for each reading.
- `Collections` may contain `Currently reading`, `To read` or `Wishlist`. None is built in for unfinished books,
  so users make a collection or a tag for them.
- `Private Comment` is ignored because it is private. Other collections and tags are not supported.
"""

import re
from dataclasses import replace
from itertools import zip_longest

from catalog.identity import NAME_SUFFIX
from readings.models import ReadingState
from readings.services import PastReading
from reviews.imports import rows
from reviews.imports.goodreads import STOPPED_SHELVES
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "Primary Author", "Rating", "Review")
DATES = ("Date Started", "Date Read", "Entry Date")
OPTIONAL = (
    *("Book Id", "Secondary Author", "ISBN", "ISBNs", "Date", "Media", "Page Count", "Publication"),
    *("Collections", "Tags", *DATES),
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_key(cells: dict[str, str]) -> str:
    """Return the id of the book, or a key made of title and author."""
    return cells["Book Id"].strip() or rows.key(cells["Title"], cells["Primary Author"])


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review and readings in a row, or None if it has neither. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = rows.rating(cells["Rating"], warnings)
    body, spoiler = rows.review_text(cells["Review"], warnings)
    readings = parse_readings(cells)
    if rating is None and not body and not readings:
        return None
    year = rows.number(cells["Date"].strip("[] "))
    return ReviewRow(
        key=parse_key(cells),
        title=rows.title(cells["Title"]),
        authors=rows.authors(
            [_natural(name) for name in (cells["Primary Author"], *cells["Secondary Author"].split("|"))]
        ),
        rating=rating,
        body=body,
        contains_spoilers=spoiler,
        date_read=rows.date_read(
            [day for name in ("Date Read", "Entry Date") for day in reversed(_DAY.findall(cells[name]))], warnings
        ),
        isbn13=rows.isbn([*cells["ISBNs"].split(","), cells["ISBN"].strip("[] ")], warnings),
        edition={
            "publisher": re.split(r" \(|, ", cells["Publication"])[0],
            "format": cells["Media"],
            "page_count": rows.number(cells["Page Count"]),
            "published_year": year,
        },
        warnings=warnings,
        readings=readings,
    )


def parse_readings(cells: dict[str, str]) -> list[PastReading]:
    """Return the readings in a row: starts and ends are paired in order, and a stop applies to the last one."""
    starts, ends = ([rows.day(day) for day in _DAY.findall(cells[name])] for name in ("Date Started", "Date Read"))
    labels = {label.strip().lower() for label in f"{cells['Collections']},{cells['Tags']}".split(",")}
    past = [
        PastReading(ReadingState.FINISHED, started_on=start, finished_on=end)
        for start, end in zip_longest(starts[: len(ends)], ends)
    ]
    # A start without an end: the book is being read again, or was not finished.
    unfinished = starts[len(ends) :]
    start = unfinished[0] if unfinished else None
    if labels & {*STOPPED_SHELVES, "did not finish"}:
        if start or not past:
            return [*past, PastReading(ReadingState.STOPPED, started_on=start)]
        *before, last = past
        return [*before, replace(last, state=ReadingState.STOPPED)]
    if start or "currently reading" in labels:
        return [*past, PastReading(ReadingState.READING, started_on=start)]
    return past


def _natural(name: str) -> str:
    """Return a name in its natural order: `Cortázar, Julio` gives `Julio Cortázar`."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) != 2 or not all(parts) or NAME_SUFFIX.fullmatch(parts[1]):
        return name
    return f"{parts[1]} {parts[0]}"
