"""Read lines from plain or gzipped files with bounded memory, however long the file or a line is."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

GZIP_MAGIC = b"\x1f\x8b"
# Longer than any record of Open Library, so a longer line means that the file is damaged.
MAX_LINE_BYTES = 4_000_000


class UnreadableFileError(Exception):
    """The file cannot be read any further; the message says why."""


class LineReader:
    """A file opened for reading line by line.

    >>> with LineReader(Path("ol_dump_works.txt.gz")) as file:
    ...     for number, line in file.lines(start=1): ...

    Raises OSError if the file does not exist or is not readable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw: BinaryIO = path.open("rb")
        self.size = path.stat().st_size
        self._compressed = self._raw.read(2) == GZIP_MAGIC

    def __enter__(self) -> "LineReader":
        return self

    def __exit__(self, *error: object) -> None:
        self._raw.close()

    def fingerprint(self) -> str:
        """Return a hash of the file's name, size and first megabyte."""
        self._raw.seek(0)
        head = self._raw.read(1 << 20)
        return hashlib.sha256(f"{self.path.name}\0{self.size}\0".encode("utf-8", "surrogateescape") + head).hexdigest()

    def position(self) -> int:
        """Return how many bytes of the file on disk have been read."""
        return self._raw.tell()

    def lines(self, *, start: int = 1) -> Iterator[tuple[int, bytes | None]]:
        """Yield numbered lines without line ends, from number `start` on; None for a line that is too long.

        Raises UnreadableFileError if the file is damaged, after every complete line before the damage.
        """
        self._raw.seek(0)
        stream = gzip.GzipFile(fileobj=self._raw) if self._compressed else self._raw
        buffered = io.BufferedReader(cast(io.RawIOBase, stream), 1 << 18)
        number = 0
        try:
            while line := buffered.readline(MAX_LINE_BYTES):
                number += 1
                whole: bytes | None = line
                while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                    whole = None
                    line = buffered.readline(MAX_LINE_BYTES)
                if number >= start:
                    yield number, whole and whole.rstrip(b"\r\n")
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise UnreadableFileError(f"after line {number}: {error}") from error
        finally:
            # Detaching keeps the file open for another pass.
            buffered.detach()
