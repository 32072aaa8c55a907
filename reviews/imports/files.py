"""Reader for the rows of an export file, with line numbers."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from reviews.imports import goodreads, storygraph
from reviews.imports.rows import InvalidRowError, ReviewRow

# A limit on rows, because a file of 5 MB may contain five times as many empty ones.
MAX_ROWS = 20_000

# The file size is limited, so a long cell is not an error.
csv.field_size_limit(max(csv.field_size_limit(), 100_000_000))


class ExportFormat(NamedTuple):
    """An export format: its required columns and its parser."""

    columns: frozenset[str]
    parse_row: Callable[[dict[str, str]], ReviewRow | None]


SOURCES = {
    "goodreads": ExportFormat(goodreads.COLUMNS, goodreads.parse_row),
    "storygraph": ExportFormat(storygraph.COLUMNS, storygraph.parse_row),
}


class InvalidFileError(Exception):
    """The file is not a valid export; `code` is a key of `REASON_MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ExportFile:
    """Iterator over the rows of an export file."""

    def __init__(self, data: bytes, source: str) -> None:
        """Read the header row. Raises InvalidFileError if it does not match the format."""
        self._format = SOURCES[source]
        # Invalid UTF-8 becomes surrogates, so that only its row is rejected and not the whole file.
        self._text = data.decode("utf-8-sig", "surrogateescape")
        try:
            header: list[str] = next(self._reader(), [])
        except csv.Error:
            raise InvalidFileError("not_csv") from None
        self._header = [name.strip() for name in header]
        if not self._header or any(not _is_clean(name) for name in self._header):
            raise InvalidFileError("not_csv")
        if not self._format.columns <= set(self._header):
            raise InvalidFileError("wrong_columns")

    def count(self) -> int:
        """Return the number of rows. Raises InvalidFileError if there are too many."""
        rows = 0
        for _line, _cells in self.lines():
            rows += 1
            if rows > MAX_ROWS:
                raise InvalidFileError("too_many_rows")
        return rows

    def lines(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield the line number and cells of each non-empty row; None instead of cells for unbalanced quotes.

        Quotes must match: an open quote could merge private cells into a public review.
        """
        reader = self._reader()
        next(reader)
        while True:
            number, cells = reader.line_num + 1, None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                pass
            if cells != []:
                yield number, cells

    def rows(self, *, skip: int = 0) -> Iterator[tuple[int, ReviewRow | InvalidRowError | None]]:
        """Return an iterator of line numbers and parsed rows.

        An error takes the place of an invalid row, and None that of a row without a review. The first `skip` rows are
        skipped before this method returns.
        """
        lines = self.lines()
        for _skipped in islice(lines, skip):
            pass
        return self._read(lines)

    def _read(
        self, lines: Iterable[tuple[int, list[str] | None]]
    ) -> Iterator[tuple[int, ReviewRow | InvalidRowError | None]]:
        for number, cells in lines:
            try:
                yield number, self._row(cells)
            except InvalidRowError as error:
                yield number, error

    def _row(self, cells: list[str] | None) -> ReviewRow | None:
        if cells is None or len(cells) != len(self._header):
            raise InvalidRowError("bad_cells")
        if not all(_is_clean(cell) for cell in cells):
            raise InvalidRowError("unreadable")
        return self._format.parse_row(dict(zip(self._header, cells, strict=True)))

    def _reader(self) -> Any:
        return csv.reader(io.StringIO(self._text, newline=""), strict=True)


def _is_clean(cell: str) -> bool:
    """Return whether every database can store the cell: no NUL and valid UTF-8."""
    try:
        return b"\0" not in cell.encode()
    except UnicodeEncodeError:
        return False
