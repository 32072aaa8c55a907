"""Signals that end a command, held back until the work at hand is done."""

import signal
import threading
from types import FrameType
from typing import Any


class StopSignals:
    """Within `with`, the first SIGINT or SIGTERM is only noted; a second one ends the process as ever.

    Outside the main thread, where Python lets nobody handle signals, nothing is held back.
    """

    KINDS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._before = {kind: signal.signal(kind, self._note) for kind in self.KINDS}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def stopped(self) -> bool:
        """Whether a signal has come."""
        return self.received is not None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)
        self._before = {}
