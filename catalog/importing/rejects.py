"""The file of the rows that did not come in, with their line numbers and the reasons."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from catalog.importing.writer import Row

# So much of a rejected row is shown; the line number finds the rest.
SHOWN = 500


class Rejects:
    """Comma-separated values: line, reason, the beginning of the row. There is no file before the first reject.

    Rows are written before the transaction that settles them ends, and `size` is kept in it: what was written for a
    transaction that was lost is cut off by the next write. So each reject is in the file once, whatever happened.
    """

    def __init__(self, path: Path, *, size: int = 0) -> None:
        """`size`: how many bytes of the file are settled from an earlier run; 0 begins it anew."""
        self.path = path
        self.size = min(size, path.stat().st_size) if size and path.is_file() else 0

    def put(self, rows: Iterable[Row]) -> int:
        """Write the rows behind what is settled and give the new size, to be set when they are settled too.

        Raises OSError.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            writer.writerow([row.line, row.reason, _shown(row.text)])
        if not text.tell():
            return self.size
        head = "" if self.size else "line,reason,row\n"
        with self.path.open("r+b" if self.size else "wb") as file:
            file.truncate(self.size)
            file.seek(self.size)
            file.write((head + text.getvalue()).encode())
            return file.tell()


def _shown(text: bytes) -> str:
    """The beginning of a row, with what is not UTF-8 and what steers a terminal as escapes."""
    plain = text[:SHOWN].decode(errors="backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda control: f"\\x{ord(control[0]):02x}", plain)
