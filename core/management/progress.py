"""Progress of a management command."""

import time
from typing import IO, Any

from tqdm import tqdm

# Seconds between two log lines if there is no terminal.
LOG_INTERVAL = 10.0


class ProgressReporter:
    """Progress towards a known size, in bytes or rows, with rate and time left.

    A bar on a terminal, else a line every `LOG_INTERVAL` seconds.
    """

    def __init__(self, stream: IO[str], *, size: int) -> None:
        self._stream = stream
        self._size = size
        self._bar: Any = None
        self._label = ""
        self._rows = self._position = 0
        self._started = self._logged_at = time.monotonic()

    def start(self, label: str) -> None:
        """Start a pass through the file; its clock starts with the first row."""
        self.finish()
        self._label = label
        self._rows = 0

    def advance(self, position: int) -> None:
        """Count a row; the file has been read up to byte `position`."""
        if not self._rows:
            self._open(position)
        self._rows += 1
        if self._bar is None:
            self._log(position)
        elif self._rows % 100 == 0:
            self._draw(position)
        self._position = position

    def finish(self) -> None:
        """Close the bar and leave it on the screen."""
        if self._bar is not None:
            self._draw(self._position)
            self._bar.close()
            self._bar = None

    def _open(self, position: int) -> None:
        self._started = self._logged_at = time.monotonic()
        if self._stream.isatty():
            self._bar = tqdm(
                total=self._size,
                initial=position,
                file=self._stream,
                desc=self._label,
                bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            )

    def _draw(self, position: int) -> None:
        rate = self._rows / max(time.monotonic() - self._started, 0.001)
        self._bar.set_postfix_str(f"{self._rows:,} rows, {rate:,.0f} rows/s", refresh=False)
        self._bar.update(position - self._bar.n)

    def _log(self, position: int) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_INTERVAL:
            self._logged_at = now
            rate = self._rows / (now - self._started)
            percent = 100 * position // max(self._size, 1)
            self._stream.write(f"{self._label}: {percent} %, {self._rows:,} rows, {rate:,.0f} rows/s\n")
            self._stream.flush()
