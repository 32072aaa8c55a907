"""The library export of Goodreads (My Books, Import and export).

What it looks like, and what is made of that:

- `ISBN` and `ISBN13` are written `="0439023483"`, so that a spreadsheet leaves them alone.
- `My Rating` is 1 to 5; 0 is none.
- `My Review` has HTML in it: `<br/>`, a few tags, `<spoiler>` around what gives something away. `Spoiler` is `true`
  where the whole review does.
- `Date Read` is often empty, and `Date Added` never is.
- `Private Notes` stay unread: they are for nobody. `Bookshelves` have no place here.
- `Title` has the series in brackets, as in the catalogue. Older exports have more columns at the end.
"""

from reviews.importing import rows
from reviews.importing.rows import BadRowError, Row

COLUMNS = frozenset(("Book Id", "Title", "Author", "ISBN13", "My Rating", "Date Added", "My Review"))


def read(cells: dict[str, str]) -> Row | None:
    """The review in a row; None where the book is neither rated nor reviewed. Raises BadRowError."""
    remarks: list[str] = []
    rating = _rating(cells["My Rating"])
    body, spoiler = rows.review_text(cells["My Review"], remarks)
    if rating is None and not body:
        return None
    year, first = rows.number(cells.get("Year Published", "")), rows.number(cells.get("Original Publication Year", ""))
    isbn13 = rows.isbn([_unquoted(cells["ISBN13"]), _unquoted(cells.get("ISBN", ""))], remarks)
    title = rows.title(cells["Title"])
    names = rows.authors([cells["Author"], *rows.split_names(cells.get("Additional Authors", ""))])
    return Row(
        key=cells["Book Id"].strip() or rows.key(title, names),
        title=title,
        authors=names,
        rating=rating,
        body=body,
        contains_spoilers=spoiler or cells.get("Spoiler", "").strip().lower() in ("true", "1", "yes"),
        day=rows.day([cells.get("Date Read", ""), cells["Date Added"]], remarks),
        isbn13=isbn13,
        published_year=first if first is not None else year,
        edition={
            "publisher": cells.get("Publisher", ""),
            "format": cells.get("Binding", ""),
            "page_count": rows.number(cells.get("Number of Pages", "")),
            "published_year": year,
        },
        remarks=remarks,
    )


def _rating(text: str) -> int | None:
    """Half-stars."""
    stars = rows.number(text or "0")
    if stars is None or not 0 <= stars <= 5:
        raise BadRowError("bad_rating")
    return stars * 2 or None


def _unquoted(text: str) -> str:
    """`="0439023483"` without what is for the spreadsheet."""
    return text.strip().removeprefix("=").strip('"')
