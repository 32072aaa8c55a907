"""Parser for the StoryGraph export (Manage account, Export StoryGraph library).

The format, and how it is read:

- `Authors` is a comma-separated list of names. Older exports call the columns `Author` and `ISBN`.
- `ISBN/UID` is an ISBN, or an id of StoryGraph or of a shop for books without one.
- `Star Rating` is in quarters, such as 4.25: rounded to halves, quarters upwards. Empty means none.
- `Review` may contain HTML.
- `Last Date Read` may be empty; `Date Added` never is.
- Moods, pace, content warnings and tags are not supported.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

from reviews.imports import rows
from reviews.imports.rows import InvalidRowError, ReviewRow

COLUMNS = frozenset(("Title", "Read Status", "Star Rating", "Review"))


def parse_row(cells: dict[str, str]) -> ReviewRow | None:
    """Return the review in a row, or None if the book is neither rated nor reviewed. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = _rating(cells["Star Rating"].strip(), warnings)
    body, spoiler = rows.review_text(cells["Review"], warnings)
    if rating is None and not body:
        return None
    names = rows.authors(rows.split_names(cells.get("Authors", cells.get("Author", ""))))
    title, uid = rows.title(cells["Title"]), cells.get("ISBN/UID", cells.get("ISBN", "")).strip()
    # Ids of books without an ISBN are not an error.
    isbn13 = rows.isbn([uid] if re.fullmatch(r"[0-9 -]{9,17}[0-9Xx]", uid) else [], warnings)
    return ReviewRow(
        key=uid or rows.key(title, names),
        title=title,
        authors=names,
        rating=rating,
        body=body,
        contains_spoilers=spoiler,
        date_read=rows.date_read([cells.get("Last Date Read", ""), cells.get("Date Added", "")], warnings),
        isbn13=isbn13,
        edition={"format": cells.get("Format", "")},
        warnings=warnings,
    )


def _rating(text: str, warnings: list[str]) -> int | None:
    """Return the rating in half-stars."""
    if not re.fullmatch(r"([0-5](\.[0-9]{1,2})?)?", text) or Decimal(text or 0) > 5:
        raise InvalidRowError("bad_rating")
    exact = Decimal(text or 0) * 2
    half_stars = exact.quantize(Decimal(1), ROUND_HALF_UP)
    if half_stars != exact:
        warnings.append("rating_rounded")
    return int(half_stars) or None
