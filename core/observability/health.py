"""Health checks: whether the process is up, and whether it can serve requests."""

import datetime
import logging
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.module_loading import module_has_submodule
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from core.api.exceptions import RETRY_AFTER_SECONDS
from core.db import replicas
from core.release import release
from core.tasks.models import QueuedTask

logger = logging.getLogger("bookbridge.health")

# Tokens, leases and due times are compared with the clock of this machine.
MAX_CLOCK_DIFFERENCE = datetime.timedelta(seconds=5)
# Needs the right to write and a server that accepts writes, although it finds no row. A Galera node without a quorum
# responds to SELECT 1 but not to this.
WRITE_PROBE = "UPDATE django_migrations SET applied = applied WHERE id = 0"


class DatabaseDownError(Exception):
    """The database cannot serve requests; the message names the reason."""


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200: the process is up."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 if requests can be served, and 503 without the database.

    The status is `degraded` without the cache or a replica, with a wrong clock or, with JOBS=worker, while tasks are
    overdue.
    """
    content, headers = {"cache": _cache_status()}, {"X-Release": release()}
    try:
        content |= _database_status()
    except DatabaseDownError as error:
        logger.warning("database down: %s", error)
        content |= {"status": "down", "database": "down", "reason": str(error)}
        return JsonResponse(content, status=503, headers={**headers, "Retry-After": str(RETRY_AFTER_SECONDS)})
    content |= {alias: replicas.get_status(alias) for alias in settings.REPLICAS}
    degraded = "clock" in content or not {"down", "late", "overdue"}.isdisjoint(content.values())
    return JsonResponse({"status": "degraded" if degraded else "ok", **content}, headers=headers)


def _database_status() -> dict[str, str]:
    """Return the parts of the response about the database. Raises DatabaseDownError."""
    # A new connection, because a persistent one to an unresponsive server fails only after a long timeout.
    mysql = connection.vendor == "mysql"
    new_connection = connection.copy() if mysql else connection
    try:
        with new_connection.cursor() as cursor:
            if mysql:
                _check_writable(cursor)
            _check_migrations(cursor)
            content = {"database": "ok"}
            if mysql:
                content |= _clock_status(cursor)
            if settings.JOBS == "worker":
                content["tasks"] = _tasks_status(cursor)
    except Error as error:
        number = f" {error.args[0]}" if error.args and isinstance(error.args[0], int) else ""
        raise DatabaseDownError(f"{type(error).__name__}{number}") from error
    finally:
        if new_connection is not connection:
            new_connection.close()
    return content


def _check_writable(cursor: Any) -> None:
    # A user with the privilege to write to a read-only server passes the probe.
    cursor.execute("SELECT @@global.read_only")
    if str(cursor.fetchone()[0]) not in ("0", "OFF"):
        raise DatabaseDownError("read-only")
    cursor.execute(WRITE_PROBE)


def _check_migrations(cursor: Any) -> None:
    """Require the migrations of this release; later ones, of the next release, do no harm."""
    cursor.execute("SELECT app, name FROM django_migrations")
    missing = migrations_of_release() - set(cursor.fetchall())
    if missing:
        raise DatabaseDownError(f"{len(missing)} migrations not applied")


@cache
def migrations_of_release() -> frozenset[tuple[str, str]]:
    """Return the app and the name of each migration in the code."""
    return frozenset(
        (app.label, module.name)
        for app in apps.get_app_configs()
        if app.module is not None and module_has_submodule(app.module, "migrations")
        for module in iter_modules(import_module(f"{app.name}.migrations").__path__)
    )


def _clock_status(cursor: Any) -> dict[str, str]:
    cursor.execute("SELECT UTC_TIMESTAMP(6)")
    difference = cursor.fetchone()[0].replace(tzinfo=datetime.UTC) - timezone.now()
    if abs(difference) <= MAX_CLOCK_DIFFERENCE:
        return {}
    logger.warning("the clock of the database differs by %+.1f s", difference.total_seconds())
    return {"clock": f"differs from the database by {abs(difference).total_seconds():.0f} s"}


def _tasks_status(cursor: Any) -> str:
    sql, params = QueuedTask.objects.overdue().values("pk")[:1].query.sql_with_params()
    cursor.execute(sql, params)
    return "overdue" if cursor.fetchone() else "ok"


def _cache_status() -> str:
    if not settings.REDIS_URL:
        return "none"
    from django_redis import get_redis_connection

    try:
        # A write, since a replica and a server without memory respond to a ping.
        get_redis_connection("default").set("bookbridge:health", 1, ex=60)
    except RedisError:
        return "down"
    return "ok"
