"""Reports of unhandled exceptions to Sentry, without texts and names of users. Loaded only with SENTRY_DSN.

The log records of level ERROR with `exc_info` are reported. The SDK's own integrations are off, because they would add
requests, local variables, SQL and the messages of exceptions.
"""

import logging
import re
import secrets
import time
from collections import Counter
from typing import Any, cast

import sentry_sdk
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import EventHandler
from sentry_sdk.types import Event, Hint

from core.observability.request_context import current_request, current_request_id
from core.observability.trace_context import current_trace_id
from core.release import release

# Reports of one type of exception in each process; during an outage every request may raise the same one.
MAX_PER_MINUTE = 10
# All other keys of an event are dropped, so that a later version of the SDK cannot add personal data.
EVENT_KEYS = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk")
EXCEPTION_KEYS = ("type", "module")
FRAME_KEYS = ("module", "function", "filename", "lineno", "pre_context", "context_line", "post_context", "in_app")
# The number of a database error. The text after it may quote values.
ERROR_NUMBER = re.compile(r"\(([0-9]{4}),")


def init(dsn: str, *, environment: str) -> None:
    """Start the SDK. It sends in a thread of its own, so that no request waits for the server of Sentry."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=f"bookbridge@{release()}",
        project_root=str(settings.BASE_DIR),
        default_integrations=False,
        # When a process ends, sends the remaining reports within two seconds, without printing a message.
        integrations=[AtexitIntegration(callback=lambda pending, timeout: None)],
        before_send=remove_private_data,
        data_collection={"user_info": False, "http_bodies": [], "stack_frame_variables": False},
        max_breadcrumbs=0,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        enable_metrics=False,
    )


class UnhandledExceptionHandler(EventHandler):
    """Reports records with an exception, a limited number of each type of exception in a minute."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.minute = 0
        self.reported: Counter[type[BaseException]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Report the exception of the record."""
        kind = record.exc_info[0] if record.exc_info else None
        # Django logs a suspicious request as an error, and responds with 400.
        if kind is None or issubclass(kind, SuspiciousOperation):
            return
        if self._count(kind) <= MAX_PER_MINUTE:
            super().emit(record)

    def _count(self, kind: type[BaseException]) -> int:
        minute = int(time.monotonic() // 60)
        if minute != self.minute:
            self.minute = minute
            self.reported.clear()
        self.reported[kind] += 1
        return self.reported[kind]


def remove_private_data(event: Event, hint: Hint) -> Event:
    """Return what may be sent: types of exceptions, frames, the route or task, ids. The SDK's `before_send`."""
    request = current_request()
    match, user_id = getattr(request, "resolver_match", None), getattr(request, "caller_id", None)
    raised: Any = event.get("exception") or {}
    sent = _select(event, EVENT_KEYS) | {
        "exception": {"values": [_clean_exception(exception) for exception in raised.get("values", [])]},
        "transaction": getattr(hint.get("log_record"), "task", None) or (match.route if match else ""),
        "tags": {"request_id": current_request_id(), "trace_id": current_trace_id()},
        "user": {"id": str(user_id)} if user_id else {},
    }
    if current_trace_id() != "-":
        sent["contexts"] = {"trace": {"trace_id": current_trace_id(), "span_id": secrets.token_hex(8)}}
    return cast(Event, sent)


def _clean_exception(exception: dict[str, Any]) -> dict[str, Any]:
    number = ERROR_NUMBER.match(exception.get("value") or "")
    frames = (exception.get("stacktrace") or {}).get("frames", [])
    return _select(exception, EXCEPTION_KEYS) | {
        "value": number[1] if number else "",
        "stacktrace": {"frames": [_select(frame, FRAME_KEYS) for frame in frames]},
        "mechanism": {"type": "logging", "handled": False},
    }


def _select(values: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: values[key] for key in keys if values.get(key) is not None}
