"""The two logs: `access.log` (one JSON line a request) and `app.log`; both carry the request's id."""

import logging
from contextvars import ContextVar
from logging.handlers import WatchedFileHandler
from pathlib import Path

_request_id: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of the request this thread is answering, `-` outside of one."""
    return _request_id.get()


def set_request_id(value: str) -> None:
    """Name the request that this thread answers from here on."""
    _request_id.set(value)


class AddRequestId(logging.Filter):
    """Puts the request's id on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through, with `request_id`."""
        record.request_id = current_request_id()
        return True


class LogFile(WatchedFileHandler):
    """A log file that is opened at the first line, survives being moved away, and never fails a request.

    Rotation is the operator's (logrotate moves the file; the next line opens a new one): several processes write here.
    """

    def __init__(self, filename: str) -> None:
        super().__init__(filename, encoding="utf-8", delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, making the directory first where it is missing."""
        try:
            if self.stream is None:
                Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            super().emit(record)
        except OSError:
            # A full or read-only disk: the request matters more than its line.
            self.handleError(record)
