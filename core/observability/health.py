"""Health checks: whether the process is up, and whether it can serve requests."""

import logging

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from core.api.exceptions import RETRY_AFTER_SECONDS

logger = logging.getLogger("bookbridge.health")


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200: the process is up."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 if requests can be served (`degraded` without the cache), and 503 without the database."""
    database, cache = _database_status(), _cache_status()
    status = "down" if database == "down" else "degraded" if cache == "down" else "ok"
    content = {"status": status, "database": database, "cache": cache}
    if status == "down":
        return JsonResponse(content, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return JsonResponse(content)


def _database_status() -> str:
    # A new connection, because a persistent one to an unresponsive server fails only after a long timeout.
    new_connection = connection.copy() if connection.vendor == "mysql" else connection
    try:
        with new_connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.warning("database down: %s", type(error).__name__)
        return "down"
    finally:
        if new_connection is not connection:
            new_connection.close()
    return "ok"


def _cache_status() -> str:
    if not settings.REDIS_URL:
        return "none"
    from django_redis import get_redis_connection

    try:
        get_redis_connection("default").ping()
    except RedisError:
        return "down"
    return "ok"
