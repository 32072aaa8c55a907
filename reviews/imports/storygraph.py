"""Parser for the StoryGraph export (Manage account, Export StoryGraph library).

The format, and how it is read:

- `Authors` is a list of names, separated by commas. Older exports call the columns `Author` and `ISBN`.
- `ISBN/UID` is an ISBN, or an id of StoryGraph or of a shop for books without one.
- `Star Rating` is in quarters, such as 4.25: rounded to halves, quarters upwards. Empty means none.
- `Review` may contain HTML.
- `Last Date Read` may be empty; `Date Added` never is.
- `Dates Read` lists the readings: `2024/01/05-2024/01/20, 2025/03/01-2025/03/09`; a day may be missing on either side.
- `Read Status` is `read`, `currently-reading`, `did-not-finish` or `to-read`; `Read Count` counts finished readings.
- Moods, pace, content warnings and tags are not supported.
"""

import datetime
import re

from readings.models import ReadingState
from readings.services import PastReading
from reviews.imports import rows
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "Authors", "Read Status", "Star Rating", "Review")
DATES = ("Last Date Read", "Date Added")
OPTIONAL = ("ISBN/UID", "Format", "Dates Read", "Read Count", *DATES)
_DAY = re.compile(r"[0-9]{4}[/.-][0-9]{1,2}[/.-][0-9]{1,2}")
# Ids of books without an ISBN have letters, other than those of `080442957X` and `9.78E+12`.
_OTHER_ID = re.compile("[a-df-wyz]", re.IGNORECASE)
STATES = {
    "read": ReadingState.FINISHED,
    "currently-reading": ReadingState.READING,
    "did-not-finish": ReadingState.STOPPED,
}
ALIASES = {"Author": "Authors", "ISBN": "ISBN/UID"}


def parse_key(cells: dict[str, str]) -> str:
    """Return the ISBN or another id of the book, or a key made of title and author."""
    uid = cells["ISBN/UID"].strip()
    if _OTHER_ID.search(uid):
        return uid
    return rows.isbn([uid], []) or rows.key(cells["Title"], (rows.split_names(cells["Authors"]) or [""])[0])


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review and readings in a row, or None if it has neither. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = rows.rating(cells["Star Rating"], warnings)
    body, spoiler = rows.review_text(cells["Review"], warnings)
    readings = parse_readings(cells)
    if rating is None and not body and not readings:
        return None
    uid = cells["ISBN/UID"].strip()
    isbn13 = rows.isbn([] if _OTHER_ID.search(uid) else [uid], warnings)
    return ReviewRow(
        key=parse_key(cells),
        title=rows.title(cells["Title"]),
        authors=rows.authors(rows.split_names(cells["Authors"])),
        rating=rating,
        body=body,
        contains_spoilers=spoiler,
        date_read=rows.date_read([cells[column] for column in DATES], warnings, day_first=day_first),
        isbn13=isbn13,
        edition={"format": cells["Format"]},
        warnings=warnings,
        readings=readings,
    )


def parse_readings(cells: dict[str, str]) -> list[PastReading]:
    """Return the readings in a row. The status is that of the last one, and the earlier ones were finished."""
    state = STATES.get(cells["Read Status"].strip().lower())
    if state is None:
        return []
    spans = [_parse_span(text) for text in re.split("[,;]", cells["Dates Read"]) if _DAY.search(text)]
    spans.sort(key=lambda span: max(filter(None, span), default=datetime.date.min))
    if not spans:
        last = None if state == ReadingState.READING else rows.day(cells["Last Date Read"])
        spans = [(None, last)]
    started_on, finished_on = spans[-1]
    last_day = None if state == ReadingState.READING else finished_on
    known = [PastReading(ReadingState.FINISHED, started_on=start, finished_on=end) for start, end in spans[:-1]]
    finished = len(spans) if state == ReadingState.FINISHED else len(spans) - 1
    unknown = (rows.number(cells["Read Count"]) or 0) - finished
    return known + rows.repeated(PastReading(state, started_on=started_on, finished_on=last_day), unknown)


def _parse_span(text: str) -> tuple[datetime.date | None, datetime.date | None]:
    """Return the first and the last day of a text with at least one day."""
    days = [rows.day(found) for found in _DAY.findall(text)[:2]]
    if len(days) == 1:
        days.insert(1 if text.rstrip().endswith(("-", "–")) else 0, None)
    start, end = days
    return (start if start is None or end is None else min(start, end), end)
