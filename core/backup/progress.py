"""Progress of a backup or a restore."""

import sys
import time
from typing import Any


class ByteProgress:
    """Prints the number of bytes, the rate and the remaining time, at most once a second."""

    def __init__(self, total: int, stream: Any = None) -> None:
        self.total, self.done, self.stream = total, 0, stream or sys.stderr
        self.started = self.printed = time.monotonic()

    def add(self, count: int) -> None:
        """Count bytes."""
        self.done += count
        now = time.monotonic()
        if now - self.printed < 1:
            return
        self.printed = now
        rate = self.done / (now - self.started)
        line = f"{self.done / 1e6:,.0f} MB, {rate / 1e6:,.1f} MB/s"
        if self.total > self.done:
            line += f", about {(self.total - self.done) / rate:,.0f} s left"
        print(line, file=self.stream, flush=True)
