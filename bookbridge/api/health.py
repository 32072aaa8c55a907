"""For whoever runs the server: is the process up, can it work, and how is it doing."""

import ipaddress
import logging
import os
import time
from collections.abc import Callable

import prometheus_client
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess
from redis.exceptions import RedisError

from bookbridge.api.errors import RETRY_AFTER_SECONDS
from bookbridge.api.safe import safe_only

logger = logging.getLogger("bookbridge.health")

# What proxies add of their own accord; nginx adds none without being told.
PROXY_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
LABELS = ("method", "route", "status")
REQUESTS = Counter("bookbridge_requests_total", "Requests answered.", LABELS)
SECONDS = Histogram("bookbridge_request_seconds", "Seconds until the answer.", ("method", "route"))


class Metrics:
    """Middleware: counts and times requests by route template, never by path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, then count."""
        started = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD") else "other"
        SECONDS.labels(method, route).observe(time.perf_counter() - started)
        REQUESTS.labels(method, route, response.status_code).inc()
        return response


@safe_only
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@safe_only
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether it can work: 503 without the database, 200 `degraded` without the cache."""
    database, cache = _database(), _cache()
    status = "down" if database == "down" else "degraded" if cache == "down" else "ok"
    answer = {"status": status, "database": database, "cache": cache}
    if status == "down":
        return JsonResponse(answer, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return JsonResponse(answer)


@safe_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures: for callers on this machine, or with METRICS_TOKEN as a Bearer token."""
    given = request.headers.get("Authorization", "")
    token = settings.METRICS_TOKEN
    if not _is_local(request) and not (token and constant_time_compare(given, f"Bearer {token}")):
        return HttpResponse(status=403)
    registry: CollectorRegistry = prometheus_client.REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return HttpResponse(prometheus_client.generate_latest(registry), content_type=prometheus_client.CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    """From this machine itself, not through a proxy on it."""
    if any(name in request.META for name in PROXY_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False


def _database() -> str:
    # A server on a connection of its own: one that was kept, and is to a frozen server by now, is given up late.
    asked = connection.copy() if connection.vendor == "mysql" else connection
    try:
        with asked.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.warning("database down: %s", type(error).__name__)
        return "down"
    finally:
        if asked is not connection:
            asked.close()
    return "ok"


def _cache() -> str:
    if not settings.REDIS_URL:
        return "none"
    from django_redis import get_redis_connection

    try:
        get_redis_connection("default").ping()
    except RedisError:
        return "down"
    return "ok"
