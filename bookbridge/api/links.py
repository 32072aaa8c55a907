"""Absolute addresses on this server, as the caller of the request at hand reaches it."""

from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class Links:
    """Middleware: `absolute` knows by which name the caller has called."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def absolute(path: str) -> str:
    """The whole address of a path on this server; in a mail or a job, where nobody calls, it begins with APP_URL.

    What is an absolute address already stays as it is.
    """
    request = _request.get()
    if request is not None:
        return request.build_absolute_uri(path)
    return path if "://" in path else settings.APP_URL + path
