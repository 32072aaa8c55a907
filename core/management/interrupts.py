"""Graceful handling of interrupts."""

import signal
import threading
from types import FrameType
from typing import Any


class GracefulInterrupt:
    """Context manager that only records the first SIGINT or SIGTERM; a second one ends the process.

    Does nothing outside the main thread, where Python does not allow signal handlers.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "GracefulInterrupt":
        if threading.current_thread() is threading.main_thread():
            self._previous_handlers = {signum: signal.signal(signum, self._record) for signum in self.SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def is_requested(self) -> bool:
        """Return whether a signal was received."""
        return self.received is not None

    def _record(self, signum: int, frame: FrameType | None) -> None:
        self.received = signum
        self._restore()

    def _restore(self) -> None:
        for signum, handler in self._previous_handlers.items():
            signal.signal(signum, handler)
        self._previous_handlers = {}
