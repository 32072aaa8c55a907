"""Files of lines, gzip or plain, read with a bounded memory however long the file or a line of it is."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

GZIP_MAGIC = b"\x1f\x8b"
# Open Library's longest records are below this; a longer line is damage.
LONGEST_LINE = 4_000_000


class BrokenFileError(Exception):
    """The file cannot be read on; its text says why."""


class LineFile:
    """A file opened for reading line by line.

    >>> with LineFile(Path("ol_dump_works.txt.gz")) as file:
    ...     for number, line in file.lines(start=1): ...

    Raises:
        OSError: it is not there or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw: BinaryIO = path.open("rb")
        self.size = path.stat().st_size
        self._compressed = self._raw.read(2) == GZIP_MAGIC

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._raw.close()

    def identity(self) -> str:
        """What tells this file from another: a hash of its name, its size and its first megabyte."""
        self._raw.seek(0)
        head = self._raw.read(1 << 20)
        return hashlib.sha256(f"{self.path.name}\0{self.size}\0".encode("utf-8", "surrogateescape") + head).hexdigest()

    def position(self) -> int:
        """How many bytes of the file, as it lies on the disk, have been read."""
        return self._raw.tell()

    def lines(self, *, start: int = 1) -> Iterator[tuple[int, bytes | None]]:
        """The lines from number `start` on (the first is 1), without their ends; None for one that is too long.

        Raises:
            BrokenFileError: it cannot be read further. Every whole line before has been given.
        """
        self._raw.seek(0)
        stream = gzip.GzipFile(fileobj=self._raw) if self._compressed else self._raw
        buffered = io.BufferedReader(cast(io.RawIOBase, stream), 1 << 18)
        number = 0
        try:
            while line := buffered.readline(LONGEST_LINE):
                number += 1
                whole: bytes | None = line
                while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    whole = None
                    line = buffered.readline(LONGEST_LINE)
                if number >= start:
                    yield number, whole and whole.rstrip(b"\r\n")
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise BrokenFileError(f"after line {number}: {error}") from error
        finally:
            # Only the buffer goes: the file stays open for another pass.
            buffered.detach()
