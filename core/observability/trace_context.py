"""W3C Trace Context: the trace that a request or a task belongs to.

See https://www.w3.org/TR/trace-context/. No spans are recorded here; the id connects our logs with those of the
services before this one, and a task with its request. It is not sent to push services and providers: users choose the
former, and could tell from the id which notifications the same person has caused.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

# Version, trace id, parent id and flags. Version 00 ends there, ff is invalid, and others may append fields.
TRACEPARENT = re.compile(r"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")
SAMPLED = 1


class Trace(NamedTuple):
    """A trace: 32 hexadecimal digits, and whether its caller may have recorded it."""

    id: str
    sampled: bool = False


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def continue_trace(traceparent: str | None) -> Iterator[None]:
    """Continue the trace of a `traceparent` header; start a new one if there is none or it is malformed."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    trace = Trace(match[1], bool(int(match[2], 16) & SAMPLED)) if match else Trace(secrets.token_hex(16))
    token = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(token)


def current_trace_id() -> str:
    """Return the id of the current trace, `-` outside a request or a task."""
    trace = _trace.get()
    return trace.id if trace else "-"


def new_traceparent() -> str | None:
    """Return a `traceparent` header for the current trace with a new parent id, None outside a trace."""
    trace = _trace.get()
    return f"00-{trace.id}-{secrets.token_hex(8)}-{trace.sampled:02x}" if trace else None
