"""Reads of anonymous callers may be answered by a replica; whoever is signed in always reads what they wrote."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import choice
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_may_lag: ContextVar[bool] = ContextVar("may_lag", default=False)


class ReplicaReads:
    """Middleware: marks requests whose reads may lag behind: anonymous GETs under `/api/`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the mark set for the time of the request."""
        anonymous = "HTTP_AUTHORIZATION" not in request.META and request.path_info.startswith("/api/")
        token = _may_lag.set(anonymous and request.method in ("GET", "HEAD"))
        try:
            return self.get_response(request)
        finally:
            _may_lag.reset(token)


@contextmanager
def reading_primary() -> Iterator[None]:
    """Nothing that is read inside may lag behind."""
    token = _may_lag.set(False)
    try:
        yield
    finally:
        _may_lag.reset(token)


class ReplicaRouter:
    """Sends reads that may lag to one of REPLICA_URLS and everything else to the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """A replica, or no opinion."""
        return choice(settings.REPLICAS) if settings.REPLICAS and _may_lag.get() else None

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """The primary."""
        return "default"

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """Rows of the primary and of its replicas are the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Only the primary; replicas follow by themselves."""
        return db == "default"
