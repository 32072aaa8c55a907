"""Where the request at hand comes from, for whoever writes down what it did."""

from contextvars import ContextVar
from typing import NamedTuple


class Origin(NamedTuple):
    """The caller's address and what their client calls itself; both empty outside of a request."""

    address: str = ""
    agent: str = ""


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current_origin() -> Origin:
    """Where the request that this thread answers comes from."""
    return _origin.get()


def set_origin(origin: Origin) -> None:
    """Say where the request that this thread answers from here on comes from."""
    _origin.set(origin)
