"""Graceful handling of interrupts."""

import signal
import threading
from types import FrameType
from typing import Any


class GracefulInterrupt:
    """Context manager that only records the first SIGINT or SIGTERM; a second one ends the process.

    Does nothing outside the main thread, where Python does not allow signal handlers.
    """

    KINDS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "GracefulInterrupt":
        if threading.current_thread() is threading.main_thread():
            self._before = {kind: signal.signal(kind, self._note) for kind in self.KINDS}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def is_requested(self) -> bool:
        """Return whether a signal was received."""
        return self.received is not None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)
        self._before = {}
