"""Log formatters and handlers of `access.log` (one JSON line per request) and `app.log`."""

import contextlib
import logging
import sys
import time
import traceback
from logging.handlers import WatchedFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from core.observability.request_context import current_request_id
from core.observability.trace_context import current_trace_id


class RequestContextFilter(logging.Filter):
    """Add the ids of the current request and of its trace to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `request_id` and `trace_id`; every record passes."""
        record.request_id = current_request_id()
        record.trace_id = current_trace_id()
        return True


class JSONFormatter(JsonFormatter):
    """One JSON line per record. An exception is logged with its class, its error number and the frames it passed.

    Its message and traceback are not logged: they contain SQL, values from requests and paths of the server.
    """

    MAX_FRAMES = 20

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Add the fields of the line."""
        message_dict.pop("exc_info", None)
        super().add_fields(log_data, record, message_dict)
        log_data.pop("request", None)  # Django adds the request, and its repr contains the query
        if record.exc_info and (error := record.exc_info[1]):
            number = f" {error.args[0]}" if error.args and isinstance(error.args[0], int) else ""
            log_data["error"] = type(error).__name__ + number
            log_data["at"] = self._frames(record.exc_info[2])[-self.MAX_FRAMES :]

    @staticmethod
    def _frames(raised: TracebackType | None) -> list[str]:
        frames = traceback.walk_tb(raised)
        return [f"{f.f_globals.get('__name__')}.{f.f_code.co_qualname}:{line}" for f, line in frames]


class ResilientWatchedFileHandler(WatchedFileHandler):
    """A log file that is opened with the first line, reopened after it was moved, and never fails a request.

    Several processes write to it, so rotation is left to logrotate.
    """

    def __init__(self, filename: str) -> None:
        super().__init__(filename, encoding="utf-8", delay=True)
        self.reported_at = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; create the directory if it is missing."""
        try:
            if self.stream is None:
                Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Report a full or read-only disk at most once a minute, and continue."""
        stream, self.stream = self.stream, None
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
        if time.monotonic() - self.reported_at > 60:
            self.reported_at = time.monotonic()
            with contextlib.suppress(OSError):
                kind = getattr(sys.exc_info()[0], "__name__", "error")
                sys.stderr.write(f"{Path(self.baseFilename).name} cannot be written: {kind}\n")
