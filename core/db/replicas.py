"""Read replicas for anonymous requests. Signed-in users always read from the primary and see their own writes.

A replica that fails is skipped for a while, and its request is repeated on the primary: the client may have to wait for
one timeout, but never gets an error.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from random import sample
from typing import Any

from django.conf import settings
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse

from core.redis import CircuitBreaker
from core.tasks.models import PeriodicTask

logger = logging.getLogger("bookbridge.replicas")

# The row of PeriodicTask that `write_heartbeat` writes.
HEARTBEAT = "heartbeat"
CHECK_SECONDS = 1.0


@dataclass
class ReplicaChoice:
    """The replica of the current request, and whether it was used."""

    alias: str
    used: bool = False


_current_replica: ContextVar[ReplicaChoice | None] = ContextVar("replica", default=None)

_next_check: defaultdict[str, float] = defaultdict(float)
breakers: defaultdict[str, CircuitBreaker] = defaultdict(lambda: CircuitBreaker(seconds=10))


class ReplicaReadsMiddleware:
    """Middleware that sends the reads of anonymous GET requests under `/api/` to a replica."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Use a replica, or the primary if there is no healthy replica or the replica fails."""
        anonymous = "HTTP_AUTHORIZATION" not in request.META and request.path_info.startswith("/api/")
        replica = _pick_replica() if anonymous and request.method in ("GET", "HEAD") else None
        if replica is None:
            return self.get_response(request)
        with _use_replica(replica):
            response = self.get_response(request)
        if not replica.used:
            return response
        # Any 5xx counts as a failure: a replica that is being rebuilt may lack a table.
        if response.status_code < 500:
            breakers[replica.alias].reset()
            return response
        _suspend(replica.alias)
        return self.get_response(request)


def _pick_replica() -> ReplicaChoice | None:
    """Return a random healthy replica."""
    for alias in sample(settings.REPLICAS, len(settings.REPLICAS)):
        if breakers[alias].allow_call() and _run_health_check(alias):
            return ReplicaChoice(alias)
    return None


def write_heartbeat() -> None:
    """Write the time to the primary, if there are replicas. Each worker does so every few seconds."""
    if settings.REPLICAS:
        PeriodicTask.objects.start_period(HEARTBEAT, int(time.time()))


def _run_health_check(alias: str) -> bool:
    """Check a replica, at most once per CHECK_SECONDS. Suspend it and return False if it is down or lagging."""
    now = time.monotonic()
    if not settings.REPLICA_MAX_LAG or now < _next_check[alias]:
        return True
    _next_check[alias] = now + CHECK_SECONDS
    if get_status(alias) == "ok":
        return True
    logger.warning("%s is down or lagging and is not used for some seconds", alias)
    _suspend(alias)
    return False


def _suspend(alias: str) -> None:
    """Stop using a replica until its circuit breaker allows the next call."""
    breakers[alias].trip()
    connections[alias].close()


def get_status(alias: str) -> str:
    """Return `ok`, `late` or `down` for a replica."""
    try:
        written = PeriodicTask.objects.using(alias).filter(task_path=HEARTBEAT).values_list("period", flat=True).first()
    except Error:
        return "down"
    late = settings.REPLICA_MAX_LAG and time.time() - (written or 0) > settings.REPLICA_MAX_LAG
    return "late" if late else "ok"


@contextmanager
def _use_replica(replica: ReplicaChoice | None) -> Iterator[None]:
    token = _current_replica.set(replica)
    try:
        yield
    finally:
        _current_replica.reset(token)


@contextmanager
def use_primary() -> Iterator[None]:
    """Read from the primary inside the block."""
    with _use_replica(None):
        yield


class ReplicaRouter:
    """Database router that sends reads to the replica of the current request and everything else to the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return the replica of the request, or None for the default."""
        replica = _current_replica.get()
        if replica is None:
            return None
        replica.used = True
        return replica.alias

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Return the primary."""
        return "default"

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """Allow all relations, because replicas have the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Migrate the primary only."""
        return db == "default"
