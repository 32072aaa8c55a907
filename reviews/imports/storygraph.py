"""Parser for the StoryGraph export (Manage account, Export StoryGraph library).

The format, and how it is read:

- `Authors` is a list of names, separated by commas. Older exports call the columns `Author` and `ISBN`.
- `ISBN/UID` is an ISBN, or an id of StoryGraph or of a shop for books without one.
- `Star Rating` is in quarters, such as 4.25: rounded to halves, quarters upwards. Empty means none.
- `Review` may contain HTML.
- `Last Date Read` may be empty; `Date Added` never is.
- Moods, pace, content warnings and tags are not supported.
"""

import re

from reviews.imports import rows
from reviews.imports.rows import ReviewRow

REQUIRED = ("Title", "Authors", "Read Status", "Star Rating", "Review")
DATES = ("Last Date Read", "Date Added")
OPTIONAL = ("ISBN/UID", "Format", *DATES)
# Ids of books without an ISBN have letters, other than those of `080442957X` and `9.78E+12`.
_OTHER_ID = re.compile("[a-df-wyz]", re.IGNORECASE)
ALIASES = {"Author": "Authors", "ISBN": "ISBN/UID"}


def parse_key(cells: dict[str, str]) -> str:
    """Return the ISBN or another id of the book, or a key made of title and author."""
    uid = cells["ISBN/UID"].strip()
    if _OTHER_ID.search(uid):
        return uid
    return rows.isbn([uid], []) or rows.key(cells["Title"], (rows.split_names(cells["Authors"]) or [""])[0])


def parse_row(cells: dict[str, str], day_first: bool | None) -> ReviewRow | None:
    """Return the review in a row, or None if the book is neither rated nor reviewed. Raises InvalidRowError."""
    warnings: list[str] = []
    rating = rows.rating(cells["Star Rating"], warnings)
    body, spoiler = rows.review_text(cells["Review"], warnings)
    if rating is None and not body:
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
    )
