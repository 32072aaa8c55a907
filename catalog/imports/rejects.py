"""The rejects file: rows that were not imported, with line numbers and reasons."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from catalog.imports.writer import ImportRow

# Longer rows are truncated in the rejects file.
MAX_ROW_BYTES = 500


class RejectsFile:
    """A CSV file with line number, reason and the beginning of the row, created when the first row is rejected.

    Rows are written before their transaction commits, and the transaction stores the new `size`. The next write
    truncates the file to that size, which removes the rows of a transaction that was rolled back, so that each reject
    is in the file once.
    """

    def __init__(self, path: Path, *, size: int = 0) -> None:
        """Continue at `size`, the committed size of an earlier run; 0 starts a new file."""
        self.path = path
        self.size = min(size, path.stat().st_size) if size and path.is_file() else 0

    def write(self, rows: Iterable[ImportRow]) -> int:
        """Append the rows after the committed ones and return the new size, to be set after the commit.

        Raises OSError.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            writer.writerow([row.line, row.reason, _escape(row.text)])
        if not text.tell():
            return self.size
        header = "" if self.size else "line,reason,row\n"
        with self.path.open("r+b" if self.size else "wb") as file:
            file.truncate(self.size)
            file.seek(self.size)
            file.write((header + text.getvalue()).encode())
            return file.tell()


def _escape(text: bytes) -> str:
    """Return the beginning of a row with invalid UTF-8 and control characters escaped."""
    plain = text[:MAX_ROW_BYTES].decode(errors="backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda control: f"\\x{ord(control[0]):02x}", plain)
