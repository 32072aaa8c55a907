"""Which formats there are, and which one a file has."""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from catalog.importing.files import BrokenFileError, LineFile
from catalog.importing.openlibrary import OpenLibrary
from catalog.importing.records import BadRowError, Record, Skip
from catalog.importing.tables import BookList, Goodbooks


class Reader(Protocol):
    """Makes records of the lines of one file. Made with its first lines; BadRowError if they are wrong.

    The file is read once for each of `stages`, from line `first_line` on.
    """

    name: str
    stages: Sequence[str]
    first_line: int

    def has(self, stage: int) -> bool:
        """Whether there are rows for a stage, as far as is known when stage 0 has seen the whole file."""

    def parse(self, line: bytes, stage: int) -> Record | Skip:
        """The record of a line. Raises BadRowError."""


FORMATS = {format.name: format for format in (Goodbooks, BookList, OpenLibrary)}


class UnknownFormatError(Exception):
    """The file has none of the formats, or not the one it was said to have; the text says why."""


def reader_of(file: LineFile, name: str = "") -> Reader:
    """The reader for a file, by what is in it, or of the format that is named.

    Raises UnknownFormatError, and BrokenFileError where not even its first line can be read.
    """
    head = _head(file)
    why = {}
    for format in [FORMATS[name]] if name else FORMATS.values():
        try:
            return format(head)
        except BadRowError as error:
            why[format.name] = str(error)
    raise UnknownFormatError("; ".join(f"not {name}: {reason}" for name, reason in why.items()))


def _head(file: LineFile) -> list[bytes]:
    """The first lines; a dump may begin with a damaged one."""
    head: list[bytes] = []
    try:
        for _, line in islice(file.lines(), 20):
            head.append(line or b"")
    except BrokenFileError:
        if not head:
            raise
    return head
