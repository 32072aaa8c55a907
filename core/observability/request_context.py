"""Context of the current request: its id, the client that sent it, and absolute URLs."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.observability.trace_context import continue_trace

VALID_ID = re.compile(r"[A-Za-z0-9._:+=-]{1,128}")

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


class ClientInfo(NamedTuple):
    """The client's IP address and user agent; both are empty outside a request."""

    address: str = ""
    user_agent: str = ""


class RequestContextMiddleware:
    """Make the request available to the functions below, and echo its id in `X-Request-ID`.

    The client may choose the id; without a valid one the request gets a new id. A `traceparent` header continues the
    client's trace.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request in its context."""
        client_id = request.headers.get("X-Request-ID", "")
        request_id = client_id if VALID_ID.fullmatch(client_id) else uuid.uuid4().hex
        tokens = _request.set(request), _request_id.set(request_id)
        try:
            with continue_trace(request.META.get("HTTP_TRACEPARENT")):
                response = self.get_response(request)
        finally:
            _request.reset(tokens[0])
            _request_id.reset(tokens[1])
        response["X-Request-ID"] = request_id
        return response


def current_request_id() -> str:
    """Return the id of the current request, `-` outside a request."""
    return _request_id.get()


def current_request() -> HttpRequest | None:
    """Return the current request, None outside a request."""
    return _request.get()


def get_client_info() -> ClientInfo:
    """Return the client that sent the current request."""
    request = _request.get()
    if request is None:
        return ClientInfo()
    agent = "".join(c for c in request.headers.get("User-Agent", "")[:1000] if c.isprintable())
    return ClientInfo(get_client_ip(request), agent)


def get_client_ip(request: HttpRequest) -> str:
    """Return the client's IP address: the one that the outermost trusted proxy saw, or the socket's without proxies.

    Of `X-Forwarded-For` only as many entries are trusted, from the right, as there are trusted proxies; the client may
    have forged the rest.
    """
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.TRUSTED_PROXIES and forwarded:
        return forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))][:64]
    return str(request.META.get("REMOTE_ADDR", ""))


def build_absolute_url(path: str) -> str:
    """Return the absolute URL of a path on this server; outside a request (mail, tasks) it starts with APP_URL.

    An absolute URL is returned unchanged.
    """
    request = _request.get()
    if request is not None:
        return request.build_absolute_uri(path)
    return path if "://" in path else settings.APP_URL + path
