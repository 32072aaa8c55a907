"""What is seen while an import runs: a bar on a terminal, a line now and then elsewhere."""

import io

import pytest

from catalog.importing import progress
from catalog.importing.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def read(bar: Progress, rows: int, *, size: int) -> None:
    bar.begin("books")
    for n in range(1, rows + 1):
        bar.row(size * n // rows)
    bar.end()


def test_a_terminal_shows_a_bar_with_rows_rate_and_time_left():
    stream = Terminal()
    read(Progress(stream, size=1_000_000), 5_050, size=1_000_000)
    last = stream.getvalue().split("\r")[-1]
    assert last.startswith("books 100%|")
    assert "5,050 rows" in last
    assert "rows/s" in last
    assert "<00:00" in last


def test_elsewhere_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch):
    now = iter(n * 0.5 for n in range(100_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    read(Progress(stream, size=1000), 100, size=1000)
    lines = stream.getvalue().splitlines()
    # A row each half second: 100 rows are 50 seconds, and every ten seconds there is a line.
    assert len(lines) == 5
    assert lines[0] == "books: 20 %, 20 rows, 2 rows/s"


def test_a_short_import_elsewhere_is_silent():
    stream = io.StringIO()
    read(Progress(stream, size=1000), 1000, size=1000)
    assert stream.getvalue() == ""
