"""CSV formats whose first line names the columns: goodbooks-10k and custom book lists.

Each line is a row: a quoted line break is treated as damage, so that it costs one row and not the rest of the file.
"""

import csv
import re
from collections.abc import Sequence

from catalog.identity import NAME_SUFFIX
from catalog.imports.languages import language_tag
from catalog.imports.records import InvalidRowError, WorkRecord, decode, isbn, names, title, year

# Twelve of thirteen digits in scientific notation.
_FLOATING = re.compile(r"9\.7[89]\d{8,9}e\+12")


class CSVFormat:
    """Parser for rows with named columns. Subclasses define the required columns and `book`."""

    name: str
    stages: Sequence[str] = ("books",)
    first_line = 2
    columns: frozenset[str]

    def __init__(self, head: Sequence[bytes]) -> None:
        """Read the header from the first line. Raises InvalidRowError if required columns are missing."""
        header = _cells(decode(head[0]).removeprefix("\ufeff")) if head else []
        if missing := self.columns - set(header):
            raise InvalidRowError(f"the first line does not name the columns {', '.join(sorted(missing))}")
        self._header = header

    def has_stage(self, stage: int) -> bool:
        """Return True: there is only one stage."""
        return True

    def parse(self, line: bytes, stage: int) -> WorkRecord:
        """Return the book in a line. Raises InvalidRowError."""
        cells = _cells(decode(line))
        if len(cells) != len(self._header):
            raise InvalidRowError(f"it has {len(cells)} columns, the first line has {len(self._header)}")
        return self.book(dict(zip(self._header, cells, strict=True)))

    def book(self, row: dict[str, str]) -> WorkRecord:
        """Return the book in a row. Raises InvalidRowError."""
        raise NotImplementedError


class GoodbooksFormat(CSVFormat):
    """books.csv of goodbooks-10k (https://github.com/zygmuntz/goodbooks-10k), with its known defects.

    - `isbn` has lost its leading zeros. It is padded to ten characters and used if the check digit is right.
    - `isbn13` was rounded to twelve digits (`9.78043902348e+12`), see `_recover_isbn13`. It is used if `isbn` is empty.
    - `authors` are separated by `, `, translators and illustrators last, with doubled spaces inside names. A suffix
      such as `Jr.` belongs to the preceding name.
    - `original_publication_year` is a float, negative before the common era, or empty.
    - `language_code` is an ISO 639-2 code or a tag (`eng`, `en-US`).
    - `title` includes the series in brackets, by which users know these books. `original_title` is ignored: a book
      has one title here, and finding it by another one that is not shown would look like a mistake.
    - An `image_url` that contains `nophoto` is a placeholder.
    """

    name = "goodbooks"
    columns = frozenset("work_id isbn isbn13 authors original_publication_year title language_code image_url".split())

    def book(self, row: dict[str, str]) -> WorkRecord:
        """Return the book in a row, identified by its `work_id`. Raises InvalidRowError."""
        if not re.fullmatch(r"[0-9]{1,18}", row["work_id"]):
            raise InvalidRowError("work_id is not a number")
        ignored_fields: list[str] = []
        return WorkRecord(
            origin=f"goodbooks:{int(row['work_id'])}",
            title=title(row["title"]),
            authors=_authors(_with_suffixes(row["authors"].split(", "))),
            isbn13=_goodbooks_isbn(row["isbn"].strip(), row["isbn13"].strip(), ignored_fields),
            published_year=_year(row["original_publication_year"], ignored_fields),
            language=language_tag(row["language_code"]),
            cover_url=_cover(row["image_url"].strip(), ignored_fields),
            ignored_fields=ignored_fields,
        )


class BookListFormat(CSVFormat):
    """A custom list with the columns `key,title,authors` and optionally `published_year`, `language` and `isbn`.

    `key` identifies the row permanently and across all lists: letters, digits, `-`, `_`, `.`. `authors` are separated
    by `;`.
    """

    name = "list"
    columns = frozenset({"key", "title", "authors"})

    def book(self, row: dict[str, str]) -> WorkRecord:
        """Return the book in a row. Raises InvalidRowError."""
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", row["key"]):
            raise InvalidRowError("the key must be 1 to 100 letters, digits, hyphens, underscores and dots")
        ignored_fields: list[str] = []
        number = row.get("isbn", "").strip()
        return WorkRecord(
            origin=f"list:{row['key']}",
            title=title(row["title"]),
            authors=_authors(row["authors"].split(";")),
            isbn13=isbn(number, ignored_fields) if number else "",
            published_year=_year(row.get("published_year", ""), ignored_fields),
            language=language_tag(row.get("language", "")),
            ignored_fields=ignored_fields,
        )


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise InvalidRowError(f"it is not valid CSV: {error}") from None


def _authors(texts: Sequence[str]) -> list[str]:
    found = names(texts, "author")
    if not found:
        raise InvalidRowError("there is no author")
    return found


def _with_suffixes(parts: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and NAME_SUFFIX.fullmatch(part.strip()):
            joined[-1] += f" {part}"
        else:
            joined.append(part)
    return joined


def _goodbooks_isbn(isbn10: str, isbn13: str, ignored_fields: list[str]) -> str:
    if isbn10:
        return isbn(isbn10.rjust(10, "0"), ignored_fields)
    return isbn(_recover_isbn13(isbn13), ignored_fields) if isbn13 else ""


def _recover_isbn13(number: str) -> str:
    """Return the ISBN-13 that was rounded to twelve digits if it can be recovered, else an invalid ISBN.

    Padded with a zero, the number is valid only if its check digit is 0. In that case it was not rounded: an ISBN that
    rounds up to it would be the preceding number, whose check digit is 3, or 4 across a ten, and those round down.
    Across a hundred it would be 7, so a number that ends in two more zeros proves nothing.
    """
    if not _FLOATING.fullmatch(number):
        return ""
    digits = number.removesuffix("e+12").replace(".", "")
    return digits.ljust(13, "0")


def _year(text: str, ignored_fields: list[str]) -> int | None:
    if not text.strip():
        return None
    try:
        return year(float(text), ignored_fields)
    except ValueError:
        ignored_fields.append("year")
        return None


def _cover(url: str, ignored_fields: list[str]) -> str:
    if not url or "nophoto" in url:
        return ""
    if re.fullmatch(r"https?://[!-~]{1,480}", url):
        return url
    ignored_fields.append("cover")
    return ""
