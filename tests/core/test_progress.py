"""Progress display: a bar on a terminal, log lines elsewhere."""

import io

import pytest

from core.management import progress
from core.management.progress import ProgressReporter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run_progress(bar: ProgressReporter, rows: int, *, size: int) -> None:
    bar.start("books")
    for n in range(1, rows + 1):
        bar.advance(size * n // rows)
    bar.finish()


def test_terminal_shows_progress_bar():
    stream = Terminal()
    run_progress(ProgressReporter(stream, size=1_000_000), 5_050, size=1_000_000)
    last = stream.getvalue().split("\r")[-1]
    assert last.startswith("books 100%|")
    assert "5,050 rows" in last
    assert "rows/s" in last
    assert "<00:00" in last


def test_progress_is_logged_without_terminal(monkeypatch: pytest.MonkeyPatch):
    now = iter(n * 0.5 for n in range(100_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    run_progress(ProgressReporter(stream, size=1000), 100, size=1000)
    lines = stream.getvalue().splitlines()
    # 100 rows at two rows per second take 50 seconds, with a line every ten seconds.
    assert len(lines) == 5
    assert lines[0] == "books: 20 %, 20 rows, 2 rows/s"


def test_short_import_logs_nothing_without_terminal():
    stream = io.StringIO()
    run_progress(ProgressReporter(stream, size=1000), 1000, size=1000)
    assert stream.getvalue() == ""
