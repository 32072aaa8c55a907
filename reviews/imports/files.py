"""Reader for the rows of an export file, with line numbers."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from core.search.normalize import to_single_line
from readings.services import PastReading
from reviews.imports import bookbridge, bookwyrm, goodreads, hardcover, librarything, storygraph
from reviews.imports.dates import is_day_first
from reviews.imports.encodings import decode
from reviews.imports.errors import InvalidFileError, InvalidRowError
from reviews.imports.rows import ReviewRow, unformatted
from reviews.imports.shared_isbns import shared_isbns
from reviews.imports.tables import MAX_ROWS, read_table

# Limits on what an error message quotes of the header.
MAX_NAMES_SHOWN = 30
MAX_NAME_SHOWN = 40


class ExportFormat(NamedTuple):
    """An export format: its required columns, the other ones it uses, and its parser.

    `aliases` are other names of columns. `parse_key` and `parse_row` get the cells by column, empty for a missing one;
    `parse_row` also gets whether ambiguous dates have the day first (None if it is not known).
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    dates: tuple[str, ...]
    parse_key: Callable[[dict[str, str]], str]
    parse_row: Callable[[dict[str, str], bool | None], ReviewRow | None]
    aliases: Mapping[str, str] = {}
    # For formats in which each reading of a book has a row of its own.
    parse_readings: Callable[[dict[str, str], bool | None], list[PastReading]] | None = None

    @property
    def names(self) -> dict[str, str]:
        """The columns by their possible names in lower case."""
        columns = {column.casefold(): column for column in (*self.required, *self.optional)}
        return columns | {alias.casefold(): column for alias, column in self.aliases.items()}


def _format(module: Any, **options: Any) -> ExportFormat:
    """Return the format that a module of this package describes."""
    return ExportFormat(
        required=module.REQUIRED,
        optional=module.OPTIONAL,
        dates=module.DATES,
        parse_key=module.parse_key,
        parse_row=module.parse_row,
        **options,
    )


SOURCES = {
    "goodreads": _format(goodreads),
    "skoob": _format(goodreads),  # the exporters of Skoob write the layout that Goodreads imports
    "storygraph": _format(storygraph, aliases=storygraph.ALIASES),
    "hardcover": _format(hardcover, parse_readings=hardcover.parse_readings),
    "bookwyrm": _format(bookwyrm),
    "librarything": _format(librarything),
    "bookbridge": _format(bookbridge),
}


class ExportFile:
    """Iterator over the rows of an export file."""

    def __init__(self, data: bytes, source: str) -> None:
        """Read the header row. Raises InvalidFileError if it does not match the format."""
        self._format = SOURCES[source]
        names = self._format.names
        self._table = read_table(decode(data), names)
        if not all(map(_is_clean, self._table.header)):
            raise InvalidFileError("not_csv")
        # None for columns that are not used.
        self._columns = [names.get(name.casefold()) for name in self._table.header]
        self._check_columns()
        self._empty_cells = dict.fromkeys(names.values(), "")

    def count(self) -> int:
        """Return the number of rows. Raises InvalidFileError if there are too many."""
        rows = self._table.row_counts[0]
        if rows > MAX_ROWS:
            raise InvalidFileError("too_many_rows")
        return rows

    def shared_isbns(self) -> frozenset[str]:
        """Return the ISBNs that different titles of the file have."""
        title = self._columns.index("Title")
        isbns = [index for index, column in enumerate(self._columns) if column and column.startswith("ISBN")]
        rows = (cells for _line, cells in self._table.rows() if cells)
        return shared_isbns((cells[title], [cells[index] for index in isbns]) for cells in rows)

    def row_keys(self) -> Iterator[str]:
        """Yield the key of each well-formed row."""
        return (self._format.parse_key(self._by_column(cells)) for _line, cells in self._table.rows() if cells)

    def rows(self, *, skip: int = 0) -> Iterator[tuple[int, ReviewRow | InvalidRowError | None]]:
        """Return an iterator of line numbers and parsed rows.

        An error takes the place of an invalid row, and None that of a row without a review. The first `skip` rows are
        skipped before this method returns.
        """
        rows = self._table.rows()
        for _skipped in islice(rows, skip):
            pass
        return self._read(rows)

    def _read(
        self, rows: Iterable[tuple[int, list[str] | None]]
    ) -> Iterator[tuple[int, ReviewRow | InvalidRowError | None]]:
        for number, cells in rows:
            try:
                yield number, self._parse(cells)
            except InvalidRowError as error:
                yield number, error

    def _parse(self, cells: list[str] | None) -> ReviewRow | None:
        if cells is None:
            raise InvalidRowError("bad_cells")
        if not all(map(_is_clean, cells)):
            raise InvalidRowError("unreadable")
        by_column = self._by_column(cells)
        row = self._format.parse_row(by_column, self._is_day_first)
        if row and (readings := self._readings_in_rows.get(row.key)):
            row.readings = readings
        return row

    def _by_column(self, cells: list[str]) -> dict[str, str]:
        return self._empty_cells | {column: cell for column, cell in zip(self._columns, cells, strict=True) if column}

    @cached_property
    def _readings_in_rows(self) -> dict[str, list[PastReading]]:
        """The readings of each book that has several rows, each of which gets all of them."""
        parse = self._format.parse_readings
        if parse is None:
            return {}
        rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        for _line, cells in self._table.rows():
            if cells and all(map(_is_clean, cells)):
                by_column = self._by_column(cells)
                rows[self._format.parse_key(by_column)].append(by_column)
        return {
            key: [reading for cells in found for reading in parse(cells, self._is_day_first)]
            for key, found in rows.items()
            if len(found) > 1
        }

    @cached_property
    def _is_day_first(self) -> bool | None:
        dates = [index for index, column in enumerate(self._columns) if column in self._format.dates]
        return is_day_first(
            unformatted(cells[index]) for _line, cells in self._table.rows() if cells for index in dates
        )

    def _check_columns(self) -> None:
        """Raise InvalidFileError, naming the columns, if one is missing or ambiguous."""
        if missing := [column for column in self._format.required if column not in self._columns]:
            found = [to_single_line(name)[:MAX_NAME_SHOWN] for name in self._table.header[:MAX_NAMES_SHOWN]]
            raise InvalidFileError("wrong_columns", missing=", ".join(missing), found=", ".join(found))
        twice = [column for column, number in Counter(self._columns).items() if column and number > 1]
        if twice:
            raise InvalidFileError("duplicate_columns", names=", ".join(twice))


def _is_clean(cell: str) -> bool:
    """Return whether every database can store the cell: no NUL and no surrogate, which marks an invalid byte."""
    try:
        return b"\0" not in cell.encode()
    except UnicodeEncodeError:
        return False
