"""Parser for the BookWyrm export (Settings, CSV Export).

The format, and how it is read:

- The columns are `title`, `author_text`, ids of the book at several services, and the last reading and review.
- `shelf` is `read`, `reading`, `stopped-reading`, `to-read` or a shelf of the reader, for which the dates decide.
- `rating` is 1 to 5 in halves; 0 means none. `review_cw` is the text of a content warning, which guards spoilers.
- `review_name` is the title of the review. `review_content` is HTML or plain text.
- Older exports have neither shelves nor dates.
"""

from readings.models import ReadingState
from readings.services import PastReading
from reviews.imports import rows
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "author_text", "rating", "review_content")
DATES = ("start_date", "finish_date", "stopped_date", "review_published", "shelf_date")
OPTIONAL = ("remote_id", "ISBN_10", "ISBN_13", "review_name", "review_cw", "shelf", *DATES)


def parse_key(cells: dict[str, str]) -> str:
    """Return the address of the book, or a key made of title and author."""
    return cells["remote_id"].strip() or rows.key(cells["Title"], cells["author_text"])


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review and readings in a row, or None if it has neither. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = rows.rating(cells["rating"], warnings)
    body, spoiler = rows.review_text(cells["review_content"], warnings)
    review_title = rows.review_title(cells["review_name"])
    readings = parse_readings(cells, day_first)
    if rating is None and not body and not review_title and not readings:
        return None
    dates = [cells[column] for column in ("finish_date", "stopped_date", "review_published", "shelf_date")]
    return ReviewRow(
        key=parse_key(cells),
        title=rows.title(cells["Title"]),
        authors=rows.authors(rows.split_names(cells["author_text"])),
        rating=rating,
        body=body,
        contains_spoilers=spoiler or bool(cells["review_cw"].strip()),
        date_read=rows.date_read(dates, warnings, day_first=day_first),
        isbn13=rows.isbn([cells["ISBN_13"], cells["ISBN_10"]], warnings),
        warnings=warnings,
        readings=readings,
        review_title=review_title,
    )


def parse_readings(cells: dict[str, str], day_first: bool | None) -> list[PastReading]:
    """Return the reading in a row: its days decide, then the shelf."""
    names = ("start_date", "finish_date", "stopped_date")
    start, finished, stopped = (rows.day(cells[name], day_first=day_first) for name in names)
    shelf = cells["shelf"].strip().lower()
    if finished or (shelf == "read" and not stopped):
        return [PastReading(ReadingState.FINISHED, started_on=start, finished_on=finished)]
    if stopped or shelf == "stopped-reading":
        return [PastReading(ReadingState.STOPPED, started_on=start, finished_on=stopped)]
    if shelf == "reading" or (start and shelf != "to-read"):
        return [PastReading(ReadingState.READING, started_on=start)]
    return []
