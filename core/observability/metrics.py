"""Access log and Prometheus metrics."""

import ipaddress
import logging
import os
import time
from collections.abc import Callable

import prometheus_client
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess

from core.observability import collectors
from core.observability.request_context import current_request_id, get_client_ip
from core.observability.trace_context import current_trace_id

access_log = logging.getLogger("bookbridge.access")

# Headers that proxies add by default; nginx adds none unless configured.
PROXY_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
LABELS = ("method", "route", "status")
REQUESTS = Counter("bookbridge_requests_total", "Number of requests.", LABELS)
REQUEST_SECONDS = Histogram("bookbridge_request_seconds", "Duration of requests in seconds.", ("method", "route"))


class ObservabilityMiddleware:
    """Log and measure each request.

    The access log has one line per request, with the path but without query and headers, so that no token is logged.
    Metrics are labeled with the route, never with the path.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request, then log and measure it."""
        started, path = time.perf_counter(), request.path
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        _measure(request, response, seconds)
        _log(request, response, path, seconds)
        return response


def _measure(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    # A response from the cache has the route of the request that it was built for.
    route = getattr(request, "route", None) or (request.resolver_match.route if request.resolver_match else "none")
    method = request.method if request.method in METHODS else "other"
    REQUEST_SECONDS.labels(method, route).observe(seconds)
    REQUESTS.labels(method, route, response.status_code).inc()


def _log(request: HttpRequest, response: HttpResponse, path: str, seconds: float) -> None:
    access_log.info(
        "",
        extra={
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "request_id": current_request_id(),
            "trace_id": current_trace_id(),
            "user": getattr(request, "caller_id", None),
            "method": request.method,
            "path": path,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "bytes": 0 if response.streaming else len(response.content),
            "address": get_client_ip(request),
        },
    )


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return Prometheus metrics to callers on this machine, and to others with METRICS_TOKEN as a Bearer token."""
    given = request.headers.get("Authorization", "")
    token = settings.METRICS_TOKEN
    if not _is_loopback_request(request) and not (token and constant_time_compare(given, f"Bearer {token}")):
        return HttpResponse(status=403)
    registry: CollectorRegistry = prometheus_client.REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    state = CollectorRegistry()
    collectors.register(state)
    content = prometheus_client.generate_latest(registry) + prometheus_client.generate_latest(state)
    return HttpResponse(content, content_type=prometheus_client.CONTENT_TYPE_LATEST)


def _is_loopback_request(request: HttpRequest) -> bool:
    # Not through a proxy on this machine, which forwards requests of others.
    if any(name in request.META for name in PROXY_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False
