"""Reads of anonymous callers may be answered by a replica; whoever is signed in always reads what they wrote.

A replica that fails is left alone for a while, and what it did not answer the primary does: they may have the
time-out of the one request that finds out, never an error.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from random import sample
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse

from bookbridge.api.redis import Breaker


@dataclass
class Source:
    """The replica that one request reads from, and whether it has."""

    alias: str
    asked: bool = False


_source: ContextVar[Source | None] = ContextVar("source", default=None)

breakers: defaultdict[str, Breaker] = defaultdict(lambda: Breaker(seconds=10))


class ReplicaReads:
    """Middleware: lets requests whose reads may lag behind have a replica: anonymous GETs under `/api/`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer from a replica; from the primary where there is none, or it fails."""
        anonymous = "HTTP_AUTHORIZATION" not in request.META and request.path_info.startswith("/api/")
        source = _choose() if anonymous and request.method in ("GET", "HEAD") else None
        if source is None:
            return self.get_response(request)
        with _reading(source):
            response = self.get_response(request)
        if not source.asked:
            return response
        if response.status_code != 503:
            breakers[source.alias].reset()
            return response
        breakers[source.alias].trip()
        connections[source.alias].close()
        return self.get_response(request)


def _choose() -> Source | None:
    """One of the replicas that are up."""
    for alias in sample(settings.REPLICAS, len(settings.REPLICAS)):
        if breakers[alias].admits():
            return Source(alias)
    return None


@contextmanager
def _reading(source: Source | None) -> Iterator[None]:
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


@contextmanager
def reading_primary() -> Iterator[None]:
    """Nothing that is read inside may lag behind."""
    with _reading(None):
        yield


class ReplicaRouter:
    """Sends reads that may lag to one of REPLICA_URLS and everything else to the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """The request's replica, or no opinion."""
        source = _source.get()
        if source is None:
            return None
        source.asked = True
        return source.alias

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """The primary."""
        return "default"

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """Rows of the primary and of its replicas are the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Only the primary; replicas follow by themselves."""
        return db == "default"
