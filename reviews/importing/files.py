"""An export as a file: its rows, each with the number of its line."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from reviews.importing import goodreads, storygraph
from reviews.importing.rows import BadRowError, Row

# More books than anybody has read; a file of 5 MB may have five times as many empty rows.
MOST_ROWS = 20_000

# The files are bounded as a whole; a long cell is then no reason to lose one's place.
csv.field_size_limit(max(csv.field_size_limit(), 100_000_000))


class Source(NamedTuple):
    """One kind of export."""

    columns: frozenset[str]
    read: Callable[[dict[str, str]], Row | None]


SOURCES = {
    "goodreads": Source(goodreads.COLUMNS, goodreads.read),
    "storygraph": Source(storygraph.COLUMNS, storygraph.read),
}


class BadFileError(Exception):
    """A file that is no such export; `code` is one of REASONS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ExportFile:
    """The rows of an export."""

    def __init__(self, data: bytes, source: str) -> None:
        """Read the first line. Raises BadFileError where it is not that of the source."""
        self._source = SOURCES[source]
        # What is no UTF-8 becomes surrogates, which cost their own row and not the file.
        self._text = data.decode("utf-8-sig", "surrogateescape")
        try:
            header: list[str] = next(self._reader(), [])
        except csv.Error:
            raise BadFileError("not_csv") from None
        self._header = [name.strip() for name in header]
        if not self._header or any(not _is_clean(name) for name in self._header):
            raise BadFileError("not_csv")
        if not self._source.columns <= set(self._header):
            raise BadFileError("wrong_columns")

    def count(self) -> int:
        """How many rows there are. Raises BadFileError where they are too many."""
        rows = 0
        for _line, _cells in self.lines():
            rows += 1
            if rows > MOST_ROWS:
                raise BadFileError("too_many_rows")
        return rows

    def lines(self) -> Iterator[tuple[int, list[str] | None]]:
        """Each row that is not empty: the number of its first line, and its cells or None for broken quotes.

        Quotes must match: one that is left open would draw cells that are meant for nobody into a text for everybody.
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

    def rows(self, *, skip: int = 0) -> Iterator[tuple[int, Row | BadRowError | None]]:
        """Each row with the number of its first line: what it says, its fault, or None for nothing to review.

        The first `skip` of them are passed by now, before the caller asks for any.
        """
        lines = self.lines()
        for _passed in islice(lines, skip):
            pass
        return self._read(lines)

    def _read(self, lines: Iterable[tuple[int, list[str] | None]]) -> Iterator[tuple[int, Row | BadRowError | None]]:
        for number, cells in lines:
            try:
                yield number, self._row(cells)
            except BadRowError as bad:
                yield number, bad

    def _row(self, cells: list[str] | None) -> Row | None:
        if cells is None or len(cells) != len(self._header):
            raise BadRowError("bad_cells")
        if not all(_is_clean(cell) for cell in cells):
            raise BadRowError("unreadable")
        return self._source.read(dict(zip(self._header, cells, strict=True)))

    def _reader(self) -> Any:
        return csv.reader(io.StringIO(self._text, newline=""), strict=True)


def _is_clean(cell: str) -> bool:
    """Whether every database keeps it: no NUL, and UTF-8 to its end."""
    try:
        return b"\0" not in cell.encode()
    except UnicodeEncodeError:
        return False
