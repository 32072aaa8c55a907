"""Response cache: complete responses to anonymous and shared GET requests, which are never stale.

A cached response is stored with the version numbers (`core.counters.versions`) of the objects that it shows. They are
read before it is built, and each write increments them in its own transaction. A response is served only while its
versions equal those in the database, so a lost cache entry or a lost message cannot make it stale. A hit takes one
small query.

Cached responses are served in two places. `ResponseCacheMiddleware` serves anonymous callers before any other
middleware and before the URL is resolved. `with_response_cache`, which wraps the handlers of views, serves everyone
else, and stores the responses.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import DisallowedHost
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language, get_language_from_request
from rest_framework.request import Request
from rest_framework.response import Response

from core import redis
from core.api.conditional import normalize_etags
from core.api.throttling import count_anonymous, set_rate_limit_headers
from core.counters.versions import get_versions
from core.db.replicas import use_primary
from core.release import code_digest
from core.search.normalize import sha256_hex

# Seconds, plus or minus a quarter. They limit the size of the cache; correctness does not depend on them. The short one
# is for URLs with parameters, whose number is unlimited, and for the cache in a process's memory.
CACHE_SECONDS, SHORT_CACHE_SECONDS = 6 * 3600, 60
MAX_CACHED_BYTES = 200_000
# Seconds that one request may take to build a response, and that parallel requests wait for it.
REBUILD_LOCK_SECONDS, REBUILD_WAIT_SECONDS = 2, 0.25
# Responses to these are rarely requested twice.
UNCACHED_PARAMETERS = {"search", "cursor"}
JSON = "application/json"
# Values of Accept for which every view responds with plain JSON.
JSON_ACCEPTS = {"*/*", JSON, f"{JSON}, */*", f"{JSON}, text/plain, */*"}
# Requests with one of these need the rest of the middleware.
OTHER_HEADERS = {
    *("HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING"),
    *("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_RANGE"),
}
# What belongs to one call.
CALL_HEADERS = {"X-Cache", "RateLimit", "RateLimit-Policy"}
# What 304 does not repeat.
BODY_HEADERS = {"Content-Type", "Content-Length", "Allow", "X-Frame-Options"}


@dataclass(frozen=True)
class CachedResponse:
    """A response as it is cached.

    `route` is for the metrics, `state` for the ETag. `headers` are all headers of the response to an anonymous caller.
    They are empty until there was such a caller, because the view must check its permissions for an anonymous caller
    first.
    """

    versions: dict[str, int]
    route: str
    state: str
    headers: dict[str, str]
    body: str

    @classmethod
    def load(cls, value: Any) -> CachedResponse | None:
        """Return the response that was stored, None for any other value."""
        try:
            return cls(**value)
        except TypeError:
            return None

    def save(self, key: str) -> None:
        """Store the response."""
        seconds = CACHE_SECONDS if settings.REDIS_URL and "?" not in key else SHORT_CACHE_SECONDS
        cache.set(key, vars(self), seconds * random.uniform(0.75, 1.25))
        _building.pop((key, *self.versions.values()), None)

    def to_response(self) -> HttpResponse:
        """Return the response as the view has built it."""
        response: Any = HttpResponse(self.body, content_type=JSON)
        response.state = self.state
        return cast(HttpResponse, response)

    def to_public_response(self) -> HttpResponse:
        """Return the response to an anonymous caller."""
        response = HttpResponse(self.body, headers=self.headers)
        if settings.DEBUG:
            response["X-Cache"] = "hit"
        return response


class ResponseCacheMiddleware:
    """Serve cached responses to anonymous callers, with the headers that the rest of the middleware has set.

    The call is counted for the throttle here, in the same round trip to Redis as the lookup. Requests over the rate and
    those that the cache cannot serve go to the view. Middleware whose headers depend on a request header other than
    Accept, Accept-Language and Host must come before this one, or the request header must be added to OTHER_HEADERS.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the cached response, or handle the request and complete what the view has stored."""
        normalize_etags(request)
        if not _may_be_public(request):
            return self.get_response(request)
        # The rest of the middleware would return 304, without the headers that are to be stored.
        condition = request.META.pop("HTTP_IF_NONE_MATCH", None)
        response = _find_public_response(request)
        if response is None:
            response = self.get_response(request)
            _publish(request, response)
        if condition is None:
            return response
        request.META["HTTP_IF_NONE_MATCH"] = condition
        return _to_conditional(request, response)


def _may_be_public(request: HttpRequest) -> bool:
    """Return whether the request is an anonymous GET of the API that nothing but the URL and the language affects."""
    meta = request.META
    return (
        request.method in ("GET", "HEAD")
        and request.path_info.startswith("/api/")
        and meta.get("HTTP_ACCEPT", JSON) in JSON_ACCEPTS
        and OTHER_HEADERS.isdisjoint(meta)
        and not meta.get("HTTP_COOKIE")  # one may name the language
        and meta.get("CONTENT_LENGTH") in (None, "", "0")
        and not connection.in_atomic_block
    )


def _find_public_response(request: HttpRequest) -> HttpResponse | None:
    """Return the cached response if the caller is within their rate, and if it is current."""
    try:
        key = _key(request, get_language_from_request(request))
        cached = CachedResponse.load(count_anonymous(request, key))
        request.found_response = key, cached  # type: ignore[attr-defined]
        quota = request.anonymous_quota  # type: ignore[attr-defined]
        if cached is None or not cached.headers or (quota and quota.wait is not None):
            return None
        if get_versions(cached.versions) != cached.versions:
            return None
    # The host is not allowed, the database is down, or another application wrote the value: the view handles these.
    except (DisallowedHost, Error, ValueError):
        return None
    request.route = cached.route  # type: ignore[attr-defined]
    response = cached.to_public_response()
    set_rate_limit_headers(response, [quota] if quota else [])
    return response


def _publish(request: HttpRequest, response: HttpResponse) -> None:
    """Store a response that the view has built or found in the cache, with all headers."""
    key, cached = getattr(request, "cached_response", (None, None))
    if cached is not None and not cached.headers and response.status_code == 200 and not response.cookies:
        headers = {name: value for name, value in response.items() if name not in CALL_HEADERS}
        replace(cached, headers=headers).save(key)


def _to_conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return 304 if the client has this response already."""
    if response.status_code != 200 or "ETag" not in response:
        return response
    conditional = get_conditional_response(request, etag=response["ETag"], response=response) or response
    for name in response.headers.keys() - BODY_HEADERS if conditional is not response else ():
        conditional[name] = response[name]
    return conditional


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
    key = _key(request._request, get_language())
    # Reuse the middleware's lookup.
    found_key, found = getattr(request._request, "found_response", ("", None))
    # A replica that lags behind would return rows older than the versions.
    with use_primary():
        versions = get_versions(names)
        cached = _get_or_wait(key, versions, [found] if found_key == key else [])
        try:
            response = handler(request, *args, **kwargs) if cached is None else cached.to_response()
        except Exception:  # release the claim, so that no request waits for this response
            _building.pop((key, *versions.values()), None)
            raise
    if cached is not None:
        request._request.cached_response = key, cached  # type: ignore[attr-defined]
    elif isinstance(response, Response) and response.status_code == 200:
        response.add_post_render_callback(partial(_store, request._request, key, versions))
    if settings.DEBUG:
        response["X-Cache"] = "miss" if cached is None else "hit"
    return response


def _key(request: HttpRequest, language: str | None) -> str:
    """Return the cache key of a URL. It is the whole URL, because responses contain absolute links.

    The key contains the code's digest and DEBUG, because other releases may send other fields, and DEBUG other headers.
    """
    path, _, query = request.build_absolute_uri().partition("?")
    path = path if path.endswith("/") else f"{path}/"
    parts = [f"{path}?{query}", language, code_digest(), settings.DEBUG]
    return f"response:{'?' if query else ''}" + sha256_hex("\n".join(map(str, parts)))


def _get_or_wait(key: str, versions: Mapping[str, int], found: list[CachedResponse | None]) -> CachedResponse | None:
    """Return the response of these versions. If it is missing, one request builds it, while others wait briefly.

    `found` has the cached value of the key (None for a miss) if it was already looked up, else it is empty.
    """
    cached = _current(found[0], versions) if found else _read(key, versions)
    if cached is not None or _claim((key, *versions.values())):
        return cached
    until = time.monotonic() + REBUILD_WAIT_SECONDS
    while cached is None and time.monotonic() < until and not redis.breaker.is_open:
        time.sleep(0.01)
        cached = _read(key, versions)
    return cached


# Responses that requests to this process are building, with the time until which others wait for them.
_building: dict[Hashable, float] = {}
_building_lock = threading.Lock()


def _claim(name: Hashable) -> bool:
    """Return whether the caller should build a response, because no other request to this process is building it.

    Other processes may build it too, which costs less than a lock in Redis for each miss.
    """
    now = time.monotonic()
    with _building_lock:
        if _building.get(name, 0.0) > now:
            return False
        for old in [old for old, until in _building.items() if until <= now]:
            del _building[old]
        _building[name] = now + REBUILD_LOCK_SECONDS
    return True


def _read(key: str, versions: Mapping[str, int]) -> CachedResponse | None:
    try:
        cached = CachedResponse.load(cache.get(key))
    except ValueError:  # not written by this application
        return None
    return _current(cached, versions)


def _current(cached: CachedResponse | None, versions: Mapping[str, int]) -> CachedResponse | None:
    return cached if cached is not None and cached.versions == versions else None


def _store(request: HttpRequest, key: str, versions: dict[str, int], response: Response) -> None:
    if len(response.content) <= MAX_CACHED_BYTES:
        route = request.resolver_match.route  # type: ignore[union-attr]
        state = getattr(response, "state", "")
        cached = CachedResponse(versions, route, state, {}, response.content.decode())
        request.cached_response = key, cached  # type: ignore[attr-defined]
        if not hasattr(request, "anonymous_quota"):  # else the middleware stores it, with the headers
            cached.save(key)
