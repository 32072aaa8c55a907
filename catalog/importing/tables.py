"""Files of comma-separated values whose first line names the columns: goodbooks-10k, and lists of one's own.

Each line is a row. A line end within quotes is damage here, and costs its own row and not the rest of the file.
"""

import csv
import re
from collections.abc import Sequence

from catalog.importing.languages import language_tag
from catalog.importing.records import BadRowError, WorkRecord, decode, isbn, names, title, year

# What comes after a comma and is still the same person.
_SUFFIX = re.compile(r"(?:Jr|Sr|Esq|Ph\.?\s?D|M\.?D)\.?|II|III|IV", re.IGNORECASE)
# 12 digits of 13, as a spreadsheet writes them.
_FLOATING = re.compile(r"9\.7[89]\d{8,9}e\+12")


class Table:
    """A reader of rows with named columns; a format says which columns it needs and what a row means."""

    name: str
    stages: Sequence[str] = ("books",)
    first_line = 2
    columns: frozenset[str]

    def __init__(self, head: Sequence[bytes]) -> None:
        """Read the header, the first of the lines in `head`. Raises BadRowError where it is not this format's."""
        header = _cells(decode(head[0]).removeprefix("\ufeff")) if head else []
        if missing := self.columns - set(header):
            raise BadRowError(f"the first line does not name the columns {', '.join(sorted(missing))}")
        self._header = header

    def has(self, stage: int) -> bool:
        """Whether rows for the stage have been seen; there is one only."""
        return True

    def parse(self, line: bytes, stage: int) -> WorkRecord:
        """The book that a line describes. Raises BadRowError."""
        cells = _cells(decode(line))
        if len(cells) != len(self._header):
            raise BadRowError(f"it has {len(cells)} columns, the first line has {len(self._header)}")
        return self.book(dict(zip(self._header, cells, strict=True)))

    def book(self, row: dict[str, str]) -> WorkRecord:
        """The book that a row describes. Raises BadRowError."""
        raise NotImplementedError


class Goodbooks(Table):
    """The file books.csv of goodbooks-10k (https://github.com/zygmuntz/goodbooks-10k) as it is.

    What has happened to it, and what is made of that:

    - `isbn` has lost its leading zeros: it is padded to ten characters and used where its check digit is right.
    - `isbn13` has been a floating-point number of twelve digits (`9.78043902348e+12`): see `_surviving_isbn13`. It is
      looked at only where `isbn` is empty.
    - `authors` are names with `, ` between them, translators and illustrators last, with doubled spaces within names.
      `Jr.` and its like belong to the name before.
    - `original_publication_year` is a float, negative before the common era, or empty.
    - `language_code` is one of ISO 639-2 or a tag (`eng`, `en-US`).
    - `title` has the series in brackets, and is kept so: readers know these books by it. `original_title` is not
      kept: the catalogue has one title a book, and a find by a title that is not shown would look like a mistake.
    - an `image_url` with `nophoto` in it is no cover.
    """

    name = "goodbooks"
    columns = frozenset("work_id isbn isbn13 authors original_publication_year title language_code image_url".split())

    def book(self, row: dict[str, str]) -> WorkRecord:
        """The work that a row describes, by its `work_id`. Raises BadRowError."""
        if not re.fullmatch(r"[0-9]{1,18}", row["work_id"]):
            raise BadRowError("work_id is no number")
        left_out: list[str] = []
        return WorkRecord(
            origin=f"goodbooks:{int(row['work_id'])}",
            title=title(row["title"]),
            authors=_authors(_with_suffixes(row["authors"].split(", "))),
            isbn13=_goodbooks_isbn(row["isbn"].strip(), row["isbn13"].strip(), left_out),
            published_year=_year(row["original_publication_year"], left_out),
            language=language_tag(row["language_code"]),
            cover_url=_cover(row["image_url"].strip(), left_out),
            left_out=left_out,
        )


class BookList(Table):
    """A list of one's own: `key,title,authors`, and where wanted `published_year`, `language` and `isbn`.

    `key` is any name for the row that stays the same and that no other list uses: letters, digits, `-`, `_`, `.`.
    `authors` have `;` between them.
    """

    name = "list"
    columns = frozenset({"key", "title", "authors"})

    def book(self, row: dict[str, str]) -> WorkRecord:
        """The book that a row describes. Raises BadRowError."""
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", row["key"]):
            raise BadRowError("the key must be 1 to 100 letters, digits, hyphens, underscores and dots")
        left_out: list[str] = []
        number = row.get("isbn", "").strip()
        return WorkRecord(
            origin=f"list:{row['key']}",
            title=title(row["title"]),
            authors=_authors(row["authors"].split(";")),
            isbn13=isbn(number, left_out) if number else "",
            published_year=_year(row.get("published_year", ""), left_out),
            language=language_tag(row.get("language", "")),
            left_out=left_out,
        )


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise BadRowError(f"it is not a row of comma-separated values: {error}") from None


def _authors(texts: Sequence[str]) -> list[str]:
    found = names(texts, "author")
    if not found:
        raise BadRowError("there is no author")
    return found


def _with_suffixes(parts: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and _SUFFIX.fullmatch(part.strip()):
            joined[-1] += f" {part}"
        else:
            joined.append(part)
    return joined


def _goodbooks_isbn(isbn10: str, isbn13: str, left_out: list[str]) -> str:
    if isbn10:
        return isbn(isbn10.rjust(10, "0"), left_out)
    return isbn(_surviving_isbn13(isbn13), left_out) if isbn13 else ""


def _surviving_isbn13(number: str) -> str:
    """The ISBN-13 that was rounded to twelve digits, if it can only have been one; else what is no ISBN.

    Written out, the number ends in 0. Where that passes for the check digit, it was the ISBN: one that was rounded up
    to it would be the number before with the check digit 3 or, over a ten, 4, and those are rounded down. Over a
    hundred it would be 7; so a number with two more zeros at its end proves nothing.
    """
    if not _FLOATING.fullmatch(number):
        return ""
    digits = number.removesuffix("e+12").replace(".", "")
    return digits.ljust(13, "0")


def _year(text: str, left_out: list[str]) -> int | None:
    if not text.strip():
        return None
    try:
        return year(float(text), left_out)
    except ValueError:
        left_out.append("year")
        return None


def _cover(url: str, left_out: list[str]) -> str:
    if not url or "nophoto" in url:
        return ""
    if re.fullmatch(r"https?://[!-~]{1,480}", url):
        return url
    left_out.append("cover")
    return ""
