"""Splitting of text into rows of cells, as the dialects of spreadsheets require."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from reviews.imports.errors import InvalidFileError

DELIMITERS = (",", ";", "\t")
# A limit on rows, because a file of 5 MB may contain five times as many empty ones.
MAX_ROWS = 20_000

# The file size is limited, so a long cell is not an error.
csv.field_size_limit(max(csv.field_size_limit(), 100_000_000))

# A first line that tells Excel the delimiter.
_SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)


class Table:
    """The rows of a CSV text. `header` has the names of the columns; it is empty if its row is empty or malformed."""

    def __init__(self, text: str, delimiter: str, *, skipped_lines: int = 0) -> None:
        self._text = text
        self._delimiter = delimiter
        self._skipped_lines = skipped_lines
        try:
            header: list[str] = next(self._reader(), [])
        except csv.Error:
            header = []
        names = [" ".join(name.split()) for name in header]
        self.header = names if any(names) else []

    def rows(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield the line number and cells of each non-empty row; None instead of cells for a malformed one.

        Quotes must match: an open quote could merge private cells into a public review.
        """
        if not self.header:
            return
        reader = self._reader()
        next(reader)
        while True:
            number, cells = self._skipped_lines + reader.line_num + 1, None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                pass
            if cells != []:
                yield number, cells if cells and len(cells) == len(self.header) else None

    def count_valid_rows(self) -> tuple[int, bool]:
        """Return how many rows have a cell for each column, and whether all have. At most `MAX_ROWS` are read."""
        valid = [cells is not None for _line, cells in islice(self.rows(), MAX_ROWS)]
        return sum(valid), all(valid)

    def count_columns(self, names: Collection[str]) -> int:
        """Return how many of these columns, given in lower case, the table has."""
        return len({name.casefold() for name in self.header}.intersection(names))

    def _reader(self) -> Any:
        return csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter, strict=True)


def read_table(text: str, names: Collection[str]) -> Table:
    """Return the table in the dialect in which the header has most of these column names, given in lower case.

    Raises InvalidFileError if no dialect gives a header.
    """
    sep_line = _SEP_LINE.match(text)
    text, skipped = (text[sep_line.end() :], 1) if sep_line else (text, 0)
    delimiters = (sep_line[1],) if sep_line else DELIMITERS
    tables = [Table(text, delimiter, skipped_lines=skipped) for delimiter in delimiters]
    table = max(tables, key=lambda table: (table.count_columns(names), len(table.header)))
    if not (table.count_columns(names) and table.count_valid_rows()[1]):
        unwrapped = Table(_unwrap_rows(text), ",", skipped_lines=skipped)
        table = max(table, unwrapped, key=lambda table: (table.count_columns(names), table.count_valid_rows()[0]))
    if not table.header:
        raise InvalidFileError("not_csv")
    return table


def _unwrap_rows(text: str) -> str:
    """Remove the quotes that a spreadsheet has put around whole rows.

    A spreadsheet that expects semicolons reads a line with commas as one cell, and saves it in quotes if it contains
    any. A line with semicolons becomes several cells; then all other lines get empty ones.
    """
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    try:
        return "\n".join(";".join(cells).rstrip(";") for cells in lines)
    except csv.Error:
        return text
