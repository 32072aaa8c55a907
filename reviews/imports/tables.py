"""Splitting of text into rows of cells, as the dialects of spreadsheets require."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from reviews.imports.errors import InvalidFileError

DELIMITERS = (",", ";", "\t")
# Limits on rows and columns, because a file of 5 MB may contain millions of empty cells.
MAX_ROWS = 20_000
MAX_COLUMNS = 500

# The file size is limited, so a long cell is not an error.
csv.field_size_limit(max(csv.field_size_limit(), 100_000_000))

# A first line that tells Excel the delimiter. Spreadsheets that do not know it save it with empty cells: `sep=,;;;`.
_SEP_LINE = re.compile(r'"?sep=([,;\t|])"?([,;\t|]*)[ ]*(?:\r\n|\r|\n)', re.IGNORECASE)


class Table:
    """The rows of a CSV text. `header` has the names of the columns; it is empty if there is no valid header row."""

    def __init__(self, text: str, delimiter: str, *, skipped_lines: int = 0) -> None:
        self._text = text
        self._delimiter = delimiter
        self._skipped_lines = skipped_lines
        try:
            header: list[str] = next(filter(None, self._reader()), [])
        except csv.Error:
            header = []
        names = [" ".join(name.split()) for name in header[:MAX_COLUMNS]]
        self.header = names if any(names) and len(header) <= MAX_COLUMNS else []

    def rows(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield the line number and cells of each non-empty row; None instead of cells for a malformed one.

        Quotes must match: an open quote could merge private cells into a public review.
        """
        if not self.header:
            return
        reader = self._reader()
        next(filter(None, reader))
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

    @cached_property
    def row_counts(self) -> tuple[int, int]:
        """The number of rows, and of those that have a cell for each column. At most `MAX_ROWS` + 1 are read."""
        valid = [cells is not None for _line, cells in islice(self.rows(), MAX_ROWS + 1)]
        return len(valid), sum(valid)

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
    delimiters = (sep_line[1],) if sep_line and not sep_line[2] else DELIMITERS
    tables = [Table(text, delimiter, skipped_lines=skipped) for delimiter in delimiters]
    table = max(tables, key=lambda table: (table.count_columns(names), len(table.header)))
    rows, valid_rows = table.row_counts
    if valid_rows < rows or not table.count_columns(names):
        unwrapped = Table(_unwrap_rows(text), ",", skipped_lines=skipped)
        table = max(table, unwrapped, key=lambda table: (table.count_columns(names), table.row_counts[1]))
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
