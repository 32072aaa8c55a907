"""Parser for the Hardcover export (Settings, Export Your Data, CSV Export).

The format, and how it is read:

- `Status` is `Want to Read`, `Currently Reading`, `Read`, `Paused` or `Did Not Finish`.
- `Rating` is in halves, such as 4.5. `Review Contains Spoilers` is `true` or `false`.
- `Privacy` is `Public` or the audience of the book; reviews with any other value are imported as private.
- A book that was read several times may have several rows with the same `Hardcover Book ID`.
- `Private Notes` are ignored because they are private; genres, moods, tags and lists are not supported.
"""

from readings.models import ReadingState
from readings.services import PastReading
from reviews.imports import rows
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "Author", "Status", "Rating")
DATES = ("Date Added", "Date Started", "Date Finished", "Review Date")
OPTIONAL = (
    *("Hardcover Book ID", "ISBN 10", "ISBN 13", "Binding", "Pages", "Publisher", "Publish Date", "Privacy"),
    *("Review", "Review Contains Spoilers", *DATES),
)
STATES = {
    "read": ReadingState.FINISHED,
    "currently reading": ReadingState.READING,
    "paused": ReadingState.READING,
    "did not finish": ReadingState.STOPPED,
}


def parse_key(cells: dict[str, str]) -> str:
    """Return the id of the book, or a key made of title and author."""
    return cells["Hardcover Book ID"].strip() or rows.key(cells["Title"], cells["Author"])


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review and readings in a row, or None if it has neither. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = rows.rating(cells["Rating"], warnings)
    body, spoiler = rows.review_text(cells["Review"], warnings)
    readings = parse_readings(cells, day_first)
    if rating is None and not body and not readings:
        return None
    dates = [cells[column] for column in ("Date Finished", "Review Date", "Date Added")]
    published = rows.any_day(cells["Publish Date"], day_first=day_first)
    return ReviewRow(
        key=parse_key(cells),
        title=rows.title(cells["Title"]),
        authors=rows.authors(rows.split_names(cells["Author"])),
        rating=rating,
        body=body,
        contains_spoilers=spoiler or cells["Review Contains Spoilers"].strip().lower() == "true",
        date_read=rows.date_read(dates, warnings, day_first=day_first),
        isbn13=rows.isbn([cells["ISBN 13"], cells["ISBN 10"]], warnings),
        edition={
            "publisher": cells["Publisher"],
            "format": cells["Binding"],
            "page_count": rows.number(cells["Pages"]),
            "published_year": published.year if published else None,
        },
        warnings=warnings,
        readings=readings,
        # Any other value, such as `Followers`, becomes private, so that no review is published by mistake.
        visibility="" if cells["Privacy"].strip().lower() in ("", "public") else "private",
    )


def parse_readings(cells: dict[str, str], day_first: bool | None) -> list[PastReading]:
    """Return the reading in a row."""
    state = STATES.get(cells["Status"].strip().lower())
    if state is None:
        return []
    start, end = (rows.day(cells[name], day_first=day_first) for name in ("Date Started", "Date Finished"))
    return [PastReading(state, started_on=start, finished_on=None if state == ReadingState.READING else end)]
