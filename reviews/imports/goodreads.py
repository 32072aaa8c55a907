"""Parser for the Goodreads library export (My Books, Import and export).

The format, and how it is read:

- `ISBN` and `ISBN13` are written `="0439023483"`, so that spreadsheets treat them as text.
- `My Rating` is 1 to 5; 0 means none.
- `My Review` contains HTML: `<br/>`, a few tags, and `<spoiler>` around spoilers. `Spoiler` is `true` if the whole
  review is a spoiler.
- `Date Read` is often empty; `Date Added` never is.
- `Private Notes` are ignored because they are private. `Bookshelves` are not supported.
- `Title` has the series in parentheses, as in the catalog. Older exports have more columns at the end.
"""

from reviews.imports import rows
from reviews.imports.rows import InvalidRowError, ReviewRow

COLUMNS = frozenset(("Book Id", "Title", "Author", "ISBN13", "My Rating", "Date Added", "My Review"))


def parse_row(cells: dict[str, str]) -> ReviewRow | None:
    """Return the review in a row, or None if the book is neither rated nor reviewed. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = _rating(cells["My Rating"])
    body, spoiler = rows.review_text(cells["My Review"], warnings)
    if rating is None and not body:
        return None
    year, first = rows.number(cells.get("Year Published", "")), rows.number(cells.get("Original Publication Year", ""))
    isbn13 = rows.isbn([_strip_excel_quotes(cells["ISBN13"]), _strip_excel_quotes(cells.get("ISBN", ""))], warnings)
    title = rows.title(cells["Title"])
    names = rows.authors([cells["Author"], *rows.split_names(cells.get("Additional Authors", ""))])
    return ReviewRow(
        key=cells["Book Id"].strip() or rows.key(title, names),
        title=title,
        authors=names,
        rating=rating,
        body=body,
        contains_spoilers=spoiler or cells.get("Spoiler", "").strip().lower() in ("true", "1", "yes"),
        date_read=rows.date_read([cells.get("Date Read", ""), cells["Date Added"]], warnings),
        isbn13=isbn13,
        published_year=first if first is not None else year,
        edition={
            "publisher": cells.get("Publisher", ""),
            "format": cells.get("Binding", ""),
            "page_count": rows.number(cells.get("Number of Pages", "")),
            "published_year": year,
        },
        warnings=warnings,
    )


def _rating(text: str) -> int | None:
    """Return the rating in half-stars."""
    stars = rows.number(text or "0")
    if stars is None or not 0 <= stars <= 5:
        raise InvalidRowError("bad_rating")
    return stars * 2 or None


def _strip_excel_quotes(text: str) -> str:
    """Strip the formula syntax from `="0439023483"`."""
    return text.strip().removeprefix("=").strip('"')
