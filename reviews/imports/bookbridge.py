"""Parser for BookBridge's own layout (`reviews.csv_layout`), which `GET users/me/export.csv` writes."""

import datetime

from core.languages import parse_tag
from readings.services import PastReading
from reviews import csv_layout
from reviews.choices import ReviewVisibility
from reviews.imports import goodreads, rows
from reviews.imports.errors import InvalidRowError
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "Author")
DATES = goodreads.DATES
OPTIONAL = (*(name for name in csv_layout.GOODREADS_COLUMNS if name not in REQUIRED), *csv_layout.OWN_COLUMNS)


def parse_key(cells: dict[str, str]) -> str:
    """Return a key made of title and author: the ids of books differ between servers."""
    return rows.key(csv_layout.unguard(cells["Title"]), csv_layout.unguard(cells["Author"]))


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review and readings in a row, or None if it has neither. Raises InvalidRowError."""
    cells = {name: csv_layout.unguard(cell) for name, cell in cells.items()}
    warnings: list[str] = []
    rating = rows.rating(cells["My Rating"], warnings)
    body = rows.body(csv_layout.from_html(cells["My Review"]), warnings)
    review_title = rows.review_title(cells["Review Title"])
    readings = _readings(cells, day_first)
    if rating is None and not body and not review_title and not readings:
        return None
    year, original_year = rows.number(cells["Year Published"]), rows.number(cells["Original Publication Year"])
    names = [cells["Author"], *cells["Additional Authors"].split(";")]
    return ReviewRow(
        key=parse_key(cells),
        title=rows.title(cells["Title"]),
        authors=rows.authors(names),
        rating=rating,
        body=body,
        contains_spoilers=cells["Spoiler"].strip().lower() in ("true", "1", "yes"),
        date_read=_reviewed_at(cells, warnings, day_first),
        isbn13=rows.isbn([cells["ISBN13"], cells["ISBN"]], warnings),
        published_year=original_year if original_year is not None else year,
        edition=goodreads.parse_edition(cells),
        warnings=warnings,
        readings=readings,
        review_title=review_title,
        visibility=_choice(cells["Visibility"]),
        language=parse_tag(cells["Review Language"]),
    )


def _choice(text: str) -> str:
    """Return the visibility, `private` for one that is not known: no review becomes public by a mistake."""
    value = text.strip().lower()
    return value if not value or value in ReviewVisibility.values else ReviewVisibility.PRIVATE


def _readings(cells: dict[str, str], day_first: bool | None) -> list[PastReading]:
    if not cells["Readings"].strip():
        return goodreads.parse_readings(cells, day_first)
    try:
        return csv_layout.parse_readings(cells["Readings"])
    except ValueError:
        raise InvalidRowError("bad_readings") from None


def _reviewed_at(cells: dict[str, str], warnings: list[str], day_first: bool | None) -> datetime.datetime | None:
    """Return the time of the review, or that of the other columns."""
    if cells["Reviewed At"].strip() == csv_layout.UNKNOWN_TIME:
        return None
    try:
        at = datetime.datetime.fromisoformat(cells["Reviewed At"].strip())
    except ValueError:
        return rows.date_read([cells[column] for column in DATES], warnings, day_first=day_first)
    at = at if at.tzinfo else at.replace(tzinfo=datetime.UTC)
    now = datetime.datetime.now(datetime.UTC)
    return min(at, now) if at.year >= 1900 else None
