"""Throttles that count atomically, in Redis or, without Redis, in this process.

DRF's throttles read the count and then write it, so parallel calls exceed the rate; and if the cache fails silently,
they stop working.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from core.observability.request_context import get_client_ip
from core.search.normalize import normalize_identifier, sha256_hex

if TYPE_CHECKING:
    from rest_framework.views import APIView

# INCR and PEXPIRE in one step. A counter without an expiry, which would block a caller forever, gets one.
_INCREMENT = """
local n, left = redis.call('INCR', KEYS[1]), redis.call('PTTL', KEYS[1])
if left < 0 then
    left = tonumber(ARGV[1])
    redis.call('PEXPIRE', KEYS[1], left)
end
"""
INCREMENT_SCRIPT = f"{_INCREMENT}return {{n, left}}"
# The same, with the value that the cache has under the second key.
INCREMENT_AND_GET_SCRIPT = f"{_INCREMENT}return {{n, left, redis.call('GET', KEYS[2])}}"


class LocalCounterStore:
    """Counters in the memory of this process, for use without Redis and while Redis is down."""

    def __init__(self, max_entries: int = 100_000) -> None:
        self.max_entries = max_entries
        self.lock = threading.Lock()
        self.windows: dict[str, tuple[int, float]] = {}

    def increment(self, key: str, seconds: int) -> tuple[int, float]:
        """Count one call; return the number of calls in the window and the seconds until it ends."""
        now = time.monotonic()
        with self.lock:
            count, ends = self.windows.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + seconds
                self._evict(now)
            self.windows[key] = (count + 1, ends)
        return count + 1, ends - now

    def clear(self) -> None:
        """Delete all counters."""
        with self.lock:
            self.windows.clear()

    def _evict(self, now: float) -> None:
        if len(self.windows) < self.max_entries:
            return
        self.windows = {key: window for key, window in self.windows.items() if window[1] > now}
        if len(self.windows) >= self.max_entries:
            # No window has ended: drop the oldest tenth in one go, so that memory is bounded and this is rare.
            self.windows = dict(islice(self.windows.items(), self.max_entries // 10, None))


memory = LocalCounterStore()


def increment(key: str, seconds: int) -> tuple[int, float]:
    """Count one call under `key`; return the number of calls in its window and the seconds until that ends."""
    if settings.REDIS_URL:
        try:
            count, left = get_redis_connection("default").eval(INCREMENT_SCRIPT, 1, _redis_key(key), seconds * 1000)
            return int(count), int(left) / 1000
        except RedisError:
            pass
    return memory.increment(key, seconds)


def increment_and_get(key: str, seconds: int, cache_key: str) -> tuple[int, float, Any]:
    """Count one call as `increment` does, and return a value of the cache too, in one round trip to Redis."""
    if not settings.REDIS_URL:
        return (*memory.increment(key, seconds), cache.get(cache_key))
    try:
        keys = (_redis_key(key), cache.make_key(cache_key))
        count, left, value = get_redis_connection("default").eval(INCREMENT_AND_GET_SCRIPT, 2, *keys, seconds * 1000)
    except RedisError:
        return (*memory.increment(key, seconds), None)
    return int(count), int(left) / 1000, None if value is None else cache.client.decode(value)  # type: ignore[attr-defined]


def _redis_key(key: str) -> str:
    return f"bookbridge:rate:{key}"


def network_prefix(address: str) -> str:
    """Return the addresses that belong to one caller: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


class Quota(NamedTuple):
    """A counted call: the `limit` of calls in `seconds`, the calls so far, and the seconds left of the window."""

    scope: str
    limit: int
    seconds: int
    calls: int
    seconds_left: float

    @property
    def wait(self) -> float | None:
        """The seconds until the next call is allowed, None if this one is."""
        return max(self.seconds_left, 0.0) if self.calls > self.limit else None

    @property
    def remaining(self) -> int:
        """The number of further calls in this window."""
        return max(self.limit - self.calls, 0)


def count_call(scope: str, identities: Iterable[tuple[str, int]]) -> Quota | None:
    """Count a call under each identity; return the quota with the least left, None if the rate is off.

    Rejected calls count too. Each identity comes with a factor by which its rate is multiplied.
    """
    rates: Any = api_settings.DEFAULT_THROTTLE_RATES
    rate: tuple[int, int] | None = rates[scope]
    if rate is None:
        return None
    calls, seconds = rate
    quotas = [
        Quota(scope, calls * factor, seconds, *increment(_window_key(scope, identity), seconds))
        for identity, factor in identities
    ]
    return min(quotas, key=lambda quota: (quota.remaining, -(quota.wait or 0)), default=None)


def check_rate(scope: str, identities: Iterable[tuple[str, int]]) -> float | None:
    """Count a call as `count_call` does; return the seconds to wait if an identity is over its rate, else None."""
    quota = count_call(scope, identities)
    return quota and quota.wait


def get_quotas(request: Any) -> list[Quota]:
    """Return the quotas that the call was counted on: those of the view, or that of the response cache before it."""
    quotas = getattr(request, "quotas", None)
    return [quota for quota in quotas or [getattr(request, "anonymous_quota", None)] if quota]


def set_rate_limit_headers(response: HttpResponse, quotas: Iterable[Quota]) -> None:
    """Tell the caller what is left of each rate, as in the IETF draft "RateLimit header fields for HTTP" (version 10).

    `RateLimit-Policy: "user";q=1200;w=60` and `RateLimit: "user";r=1187;t=42`: 1187 further calls in 42 seconds.
    """
    if quotas := list(quotas):
        response["RateLimit-Policy"] = ", ".join(f'"{q.scope}";q={q.limit};w={q.seconds}' for q in quotas)
        response["RateLimit"] = ", ".join(
            f'"{q.scope}";r={q.remaining};t={max(1, math.ceil(q.seconds_left))}' for q in quotas
        )


def _window_key(scope: str, identity: str) -> str:
    return f"{scope}:{sha256_hex(identity)[:32]}"


def count_anonymous(request: HttpRequest, cache_key: str) -> Any:
    """Count the call of an anonymous caller, and return a value of the cache.

    The quota is stored in `request.anonymous_quota`, None if the rate is off. `UserOrAnonRateThrottle` uses it and does
    not count the call again.
    """
    rates: Any = api_settings.DEFAULT_THROTTLE_RATES
    rate: tuple[int, int] | None = rates["anon"]
    if rate is None:
        request.anonymous_quota = None  # type: ignore[attr-defined]
        return cache.get(cache_key)
    calls, seconds = rate
    key = _window_key("anon", network_prefix(get_client_ip(request)))
    count, left, value = increment_and_get(key, seconds, cache_key)
    request.anonymous_quota = Quota("anon", calls, seconds, count, left)  # type: ignore[attr-defined]
    return value


def login_idents(address: str, account: str) -> list[tuple[str, int]]:
    """Return the identities of a login: the address with the account, and the address alone with ten times the rate.

    Never the account alone: anyone could lock its owner out.
    """
    address = network_prefix(address)
    return [(f"{address} {normalize_identifier(account[:254])}", 1), (address, 10)]


class RateThrottle(BaseThrottle):
    """Count a call under each of its `identities`; reject it if one of them is over its rate."""

    scope: str

    def __init__(self) -> None:
        self.quota: Quota | None = None

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the identities that the call is counted under, each with its factor."""
        raise NotImplementedError

    def get_quota(self, request: Request, view: APIView) -> Quota | None:
        """Count the call; return the quota with the least left, None if nothing limits the call."""
        return count_call(self.scope, self.get_idents(request, view))

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Return whether the call is within its rate; store the quota for the headers of the response."""
        self.quota = self.get_quota(request, view)
        if self.quota is None:
            return True
        http_request: Any = request._request
        http_request.quotas = [*getattr(http_request, "quotas", ()), self.quota]
        return self.quota.wait is None

    def wait(self) -> float | None:
        """Return the seconds until the window ends, for Retry-After."""
        return self.quota and self.quota.wait


class UserOrAnonRateThrottle(RateThrottle):
    """RATE_USER for each signed-in user, RATE_ANON for each address without a sign-in."""

    scope = "anon"

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the user or the address."""
        return [(str(request.user.pk) if self.scope == "user" else network_prefix(get_client_ip(request)), 1)]

    def get_quota(self, request: Request, view: APIView) -> Quota | None:
        """Choose the scope, then count the call, unless the response cache has counted it."""
        self.scope = "user" if request.user and request.user.is_authenticated else "anon"
        if self.scope == "anon" and hasattr(request._request, "anonymous_quota"):
            quota: Quota | None = request._request.anonymous_quota
            return quota
        return super().get_quota(request, view)


class WriteRateThrottle(RateThrottle):
    """RATE_WRITE for each signed-in user's writes."""

    scope = "write"

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the user, or nothing for a read."""
        if request.method in ("GET", "HEAD", "OPTIONS") or not (request.user and request.user.is_authenticated):
            return []
        return [(str(request.user.pk), 1)]


class RegisterRateThrottle(RateThrottle):
    """RATE_REGISTER for each address, and ten times that for registrations with an invitation.

    Many members of a club may share an address. An invalid invitation creates no account.
    """

    scope = "register"

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the address, with a counter of its own for invited users."""
        address = network_prefix(get_client_ip(request))
        data: Any = request.data
        return [(f"{address} invited", 10)] if isinstance(data, dict) and data.get("invite") else [(address, 1)]


class RefreshRateThrottle(RateThrottle):
    """Ten times RATE_ANON for each address, with a counter of its own.

    Thousands of phones may share the address of a carrier, and each refreshes every quarter of an hour. A refresh token
    cannot be guessed.
    """

    scope = "anon"

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the address."""
        return [(f"{network_prefix(get_client_ip(request))} refresh", 10)]


class InviteRateThrottle(RateThrottle):
    """RATE_INVITE for each signed-in user, and ten times that for each address over all users."""

    scope = "invite"

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the address, and the user if there is one."""
        address = (network_prefix(get_client_ip(request)), 10)
        return [(f"user {request.user.pk}", 1), address] if request.user.is_authenticated else [address]


class LoginRateThrottle(RateThrottle):
    """RATE_LOGIN for each pair of address and account, ten times that for an address over all accounts.

    Counted before a password is hashed.
    """

    scope = "login"
    field = "username"

    def get_idents(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Return the address with the account, and the address."""
        return login_idents(get_client_ip(request), self.get_account(request))

    def get_account(self, request: Request) -> str:
        """Return the account that the body names."""
        data: Any = request.data
        account = data.get(self.field) if isinstance(data, dict) else None
        return account if isinstance(account, str) else ""
