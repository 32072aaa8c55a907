"""Rejection of requests in threads that the application server has marked as overloaded."""

import threading
from collections.abc import Callable
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware

from core.api.exceptions import service_unavailable

# Answered also by an overloaded server.
ALWAYS_ANSWERED = ("/healthz", "/readyz", "/metrics")

_state = threading.local()


def set_overloaded(overloaded: bool) -> None:
    """Decide whether this thread rejects the requests that it handles from now on."""
    _state.overloaded = overloaded


def is_overloaded() -> bool:
    """Return whether this thread rejects requests."""
    return getattr(_state, "overloaded", False)


class OverloadMiddleware:
    """Respond 503 with `Retry-After` in an overloaded thread, at as little cost as possible."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # In the caller's language, and readable by clients in browsers.
        self.reject: Any = CorsMiddleware(LocaleMiddleware(_reject))  # type: ignore[arg-type]  # may be asynchronous

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Reject or handle the request."""
        if is_overloaded() and request.path not in ALWAYS_ANSWERED:
            response: HttpResponse = self.reject(request)
            return response
        return self.get_response(request)


def _reject(request: HttpRequest) -> HttpResponse:
    request.route = "rejected"  # type: ignore[attr-defined]  # for the metrics
    response = service_unavailable(request)
    response._has_been_logged = True  # type: ignore[attr-defined]  # by Django as an error, each of thousands
    return response
