"""Parser for the Goodreads library export (My Books, Import and export), and for the layout that Goodreads imports.

The format, and how it is read:

- `ISBN` and `ISBN13` are written `="0439023483"`, so that spreadsheets treat them as text.
- `My Rating` is 1 to 5; 0 means no rating. Other programs that write this format use half-stars.
- `My Review` contains HTML: `<br/>`, a few tags, and `<spoiler>` around spoilers. `Spoiler` is `true` if the whole
  review is a spoiler.
- `Date Read` is often empty; `Date Added` never is.
- `Exclusive Shelf` is `read`, `currently-reading`, `to-read` or a shelf of the reader. `Read Count` counts re-reads,
  whose days are not exported.
- `Private Notes` are ignored because they are private. `Bookshelves` are not supported.
- `Title` has the series in parentheses, as in the catalog. Older exports have more columns at the end.
- The import layout, which tools that export from Skoob write, has no `Book Id`, no `ISBN13` (`ISBN` may have 13 digits)
  and often neither `My Review` nor `Date Added`.
"""

from typing import Any

from readings.models import ReadingState
from readings.services import PastReading
from reviews.imports import rows
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "Author", "My Rating")
DATES = ("Date Read", "Date Added")
OPTIONAL = (
    *("Book Id", "Additional Authors", "ISBN", "ISBN13", "Publisher", "Binding", "Number of Pages", "Year Published"),
    *("Original Publication Year", *DATES, "My Review", "Spoiler", "Exclusive Shelf", "Read Count"),
)

# Goodreads has no shelf for these, so that readers name their own.
STOPPED_SHELVES = (
    *("did-not-finish", "dnf", "did-not-finish-dnf", "abandoned", "unfinished", "gave-up", "stopped-reading"),
    *("abandonado", "abandonados", "abandonei", "nao-terminei", "não-terminei"),
)


def parse_key(cells: dict[str, str]) -> str:
    """Return the id of the book, or a key made of title and author."""
    return cells["Book Id"].strip() or rows.key(cells["Title"], cells["Author"])


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review and readings in a row, or None if it has neither. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = rows.rating(cells["My Rating"], warnings)
    body, spoiler = rows.review_text(cells["My Review"], warnings)
    readings = parse_readings(cells, day_first)
    if rating is None and not body and not readings:
        return None
    year, original_year = rows.number(cells["Year Published"]), rows.number(cells["Original Publication Year"])
    # A comma in `Author` precedes a first name (`Tolkien, J.R.R.`); additional authors have their own column.
    names = rows.split_names(cells["Author"], separators=";；、") + rows.split_names(cells["Additional Authors"])
    return ReviewRow(
        key=parse_key(cells),
        title=rows.title(cells["Title"]),
        authors=rows.authors(names),
        rating=rating,
        body=body,
        contains_spoilers=spoiler or cells["Spoiler"].strip().lower() in ("true", "1", "yes"),
        date_read=rows.date_read([cells[column] for column in DATES], warnings, day_first=day_first),
        isbn13=rows.isbn([cells["ISBN13"], cells["ISBN"]], warnings),
        published_year=original_year if original_year is not None else year,
        edition=parse_edition(cells),
        warnings=warnings,
        readings=readings,
    )


def parse_edition(cells: dict[str, str]) -> dict[str, Any]:
    """Return the fields of the edition in a row."""
    return {
        "publisher": cells["Publisher"],
        "format": cells["Binding"],
        "page_count": rows.number(cells["Number of Pages"]),
        "published_year": rows.number(cells["Year Published"]),
    }


def parse_readings(cells: dict[str, str], day_first: bool | None) -> list[PastReading]:
    """Return the readings in a row: only the last one has a day."""
    day, shelf = rows.day(cells["Date Read"], day_first=day_first), cells["Exclusive Shelf"].strip().lower()
    if shelf == "currently-reading":
        return rows.repeated(PastReading(ReadingState.READING), (rows.number(cells["Read Count"]) or 1) - 1)
    if shelf in STOPPED_SHELVES:
        return [PastReading(ReadingState.STOPPED, finished_on=day)]
    if shelf == "read" or (day and shelf != "to-read"):
        return rows.repeated(
            PastReading(ReadingState.FINISHED, finished_on=day), (rows.number(cells["Read Count"]) or 1) - 1
        )
    return []
