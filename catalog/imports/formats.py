"""The known file formats, and their detection."""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from catalog.imports.csv_formats import BookListFormat, GoodbooksFormat
from catalog.imports.lines import LineReader, UnreadableFileError
from catalog.imports.openlibrary import OpenLibraryDump
from catalog.imports.records import InvalidRowError, SkipReason, SourceRecord


class RowParser(Protocol):
    """A parser for the lines of one file.

    It is created with the first lines and raises InvalidRowError if they do not fit the format. The file is read once
    for each of `stages`, from line `first_line` on.
    """

    name: str
    stages: Sequence[str]
    first_line: int

    def has_stage(self, stage: int) -> bool:
        """Return whether the file has rows for a stage. Only reliable after stage 0 has read the whole file."""

    def parse(self, line: bytes, stage: int) -> SourceRecord | SkipReason:
        """Return the record in a line. Raises InvalidRowError."""


FORMATS = {format.name: format for format in (GoodbooksFormat, BookListFormat, OpenLibraryDump)}


class UnknownFormatError(Exception):
    """The file does not have the given format or any known one; the message says why."""


def detect_format(file: LineReader, name: str = "") -> RowParser:
    """Return a parser for the file, of the named format or of the one its first lines fit.

    Raises UnknownFormatError, and UnreadableFileError if not even the first line can be read.
    """
    head = _first_lines(file)
    reasons = {}
    for format in [FORMATS[name]] if name else FORMATS.values():
        try:
            return format(head)
        except InvalidRowError as error:
            reasons[format.name] = str(error)
    raise UnknownFormatError("; ".join(f"not {name}: {reason}" for name, reason in reasons.items()))


def _first_lines(file: LineReader) -> list[bytes]:
    """Return the first lines; only the first one must be readable."""
    head: list[bytes] = []
    try:
        for _, line in islice(file.lines(), 20):
            head.append(line or b"")
    except UnreadableFileError:
        if not head:
            raise
    return head
