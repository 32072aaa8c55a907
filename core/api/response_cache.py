"""Response cache with versioned keys.

Each cached action depends on one or more version numbers in the database (`core.counters.versions`), which a write
increments in its own transaction. The key contains the versions, read before the response is built, so a stale response
is never served, even if the cache or a message is lost. Each hit takes one small query.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.utils.translation import get_language
from rest_framework.request import Request
from rest_framework.response import Response

from core import redis
from core.counters.versions import get_versions
from core.db.replicas import use_primary
from core.search.normalize import sha256_hex

# Seconds, plus or minus a quarter. Limits the size of the cache; correctness does not depend on it.
CACHE_SECONDS = 60
MAX_CACHED_BYTES = 200_000
# Seconds that one request may take to build a response, and that parallel requests wait for it.
REBUILD_LOCK_SECONDS, REBUILD_WAIT_SECONDS = 2, 0.25
# Responses to these are rarely requested twice.
UNCACHED_PARAMETERS = {"search", "cursor"}
JSON = "application/json"


def with_response_cache(handler: Callable[..., Any], request: Request, view: Any) -> Callable[..., Any]:
    """Serve a cached action of the view from the cache where its response would be the same.

    The view's `cached_actions` maps actions (or `get`, for a view that is not a viewset) to the cache versions that
    their responses depend on, for responses that are the same for everyone; `cached_actions_anonymous` is for those
    that depend on the user, and serves anonymous users only. A version's name may contain path parameters:
    `book:{book_id}`.
    """
    action = getattr(view, "action", "get")
    names = view.cached_actions.get(action)
    if names is None and not request.user.is_authenticated:
        names = view.cached_actions_anonymous.get(action)
    if not names or not _is_cacheable(request):
        return handler
    # Without leading zeros, as writers name the versions.
    path = {name: str(value).lstrip("0") for name, value in view.kwargs.items()}
    return partial(_cached_response, handler, [name.format(**path) for name in names])


def _is_cacheable(request: Request) -> bool:
    # Not inside a transaction, which may see rows that are never committed.
    return (
        request.method in ("GET", "HEAD")
        and request.accepted_media_type == JSON
        and not UNCACHED_PARAMETERS & request.query_params.keys()
        and not connection.in_atomic_block
    )


def _cached_response(
    handler: Callable[..., Any], names: list[str], request: Request, *args: Any, **kwargs: Any
) -> HttpResponse:
    # A replica that lags behind would return rows older than the versions.
    with use_primary():
        key = _key(request, get_versions(names))
        text = _get_or_wait(key)
        response = handler(request, *args, **kwargs) if text is None else HttpResponse(text, content_type=JSON)
    if isinstance(response, Response) and response.status_code == 200:
        response.add_post_render_callback(partial(_store, key))
    if settings.DEBUG:
        response["X-Cache"] = "miss" if text is None else "hit"
    return response


def _key(request: Request, versions: Mapping[str, int]) -> str:
    # The whole URL, because responses contain absolute links.
    parts = [
        request.build_absolute_uri(),
        get_language() or "",
        *(f"{name}={version}" for name, version in versions.items()),
    ]
    return "response:" + sha256_hex("\n".join(parts))


def _get_or_wait(key: str) -> str | None:
    """Return the cached body. If it is missing, one request gets None and builds it, while the others wait briefly."""
    text = _read(key)
    # None means that the cache is down: there is nothing to wait for.
    if text is not None or cache.add(f"{key}:building", 1, REBUILD_LOCK_SECONDS) is not False:
        return text
    until = time.monotonic() + REBUILD_WAIT_SECONDS
    while text is None and time.monotonic() < until and not redis.breaker.is_open:
        time.sleep(0.01)
        text = _read(key)
    return text


def _read(key: str) -> str | None:
    try:
        value = cache.get(key)
    except ValueError:  # not written by this application
        return None
    return value if isinstance(value, str) else None


def _store(key: str, response: Response) -> None:
    if len(response.content) <= MAX_CACHED_BYTES:
        cache.set(key, response.content.decode(), CACHE_SECONDS * random.uniform(0.75, 1.25))
