"""Rates that hold: a counter per window, counted atomically in Redis, in this process where Redis is not.

DRF's own throttle reads and then writes, so parallel calls pass it; and on a cache that fails quietly it is off.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bookbridge.api.request_context import client_address
from bookbridge.api.text import digest_of, identifier_key
from bookbridge.env import Rate

if TYPE_CHECKING:
    from rest_framework.views import APIView

# INCR and EXPIRE in one step; a counter without an expiry, which would shut somebody out for ever, gets one.
HIT = """
local n, left = redis.call('INCR', KEYS[1]), redis.call('PTTL', KEYS[1])
if left < 0 then
    left = tonumber(ARGV[1])
    redis.call('PEXPIRE', KEYS[1], left)
end
return {n, left}
"""


class MemoryCounter:
    """Counters in this process: what there is without Redis, and while Redis is away."""

    def __init__(self, most: int = 100_000) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.windows: dict[str, tuple[int, float]] = {}

    def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """Count one; the calls in the window so far, and the seconds until it ends."""
        now = time.monotonic()
        with self.lock:
            count, ends = self.windows.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + seconds
                self._make_room(now)
            self.windows[key] = (count + 1, ends)
        return count + 1, ends - now

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self.windows.clear()

    def _make_room(self, now: float) -> None:
        if len(self.windows) < self.most:
            return
        self.windows = {key: window for key, window in self.windows.items() if window[1] > now}
        if len(self.windows) >= self.most:
            # Full of live windows: the oldest tenth goes at once, so that memory is bounded and this is rare.
            self.windows = dict(islice(self.windows.items(), self.most // 10, None))


memory = MemoryCounter()


def hit(key: str, seconds: int) -> tuple[int, float]:
    """Count one call under `key`: the calls in its window of `seconds` so far, and the seconds until it ends."""
    if settings.REDIS_URL:
        from django_redis import get_redis_connection

        try:
            count, left = get_redis_connection("default").eval(HIT, 1, f"bookbridge:rate:{key}", seconds * 1000)
            return int(count), int(left) / 1000
        except RedisError:
            pass
    return memory.hit(key, seconds)


def network(address: str) -> str:
    """The addresses that are surely one caller's: an IPv4 address, or the /64 that an IPv6 caller is given whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def wait_for(scope: str, identities: Iterable[tuple[str, int]]) -> float | None:
    """Count a call under each identity; the seconds to wait where one is over its rate, else None.

    Every call counts, refused ones too. Beside each identity stands how many times the rate it may use.
    """
    rate: Rate | None = settings.RATES[scope]
    if rate is None:
        return None
    waits = []
    for identity, times in identities:
        key = digest_of(identity)[:32]
        count, left = hit(f"{scope}:{key}", rate.seconds)
        if count > rate.calls * times:
            waits.append(max(left, 0.0))
    return max(waits, default=None)


def login_identities(address: str, account: str) -> list[tuple[str, int]]:
    """RATE_LOGIN for each pair of address and account, ten times it for an address over all accounts.

    Never for an account alone: then anybody could keep its owner out.
    """
    address = network(address)
    return [(f"{address} {identifier_key(account[:254])}", 1), (address, 10)]


class RateThrottle(BaseThrottle):
    """Counts a call under each of its `identities`; refused when any of them is over its rate."""

    scope: str

    def __init__(self) -> None:
        self.left: float | None = None

    def identities(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """Whom the call is counted under, each with how many times the rate it may use."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the call is within its rate."""
        self.left = wait_for(self.scope, self.identities(request, view))
        return self.left is None

    def wait(self) -> float | None:
        """Seconds until the window ends, for Retry-After."""
        return self.left


class CallerThrottle(RateThrottle):
    """RATE_USER for each signed-in reader, RATE_ANON for each address without a sign-in."""

    scope = "anon"

    def identities(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """The reader or the address."""
        return [(str(request.user.pk) if self.scope == "user" else network(client_address(request)), 1)]

    def allow_request(self, request: Request, view: APIView) -> bool:
        """As its parent, with the scope that fits the caller."""
        self.scope = "user" if request.user and request.user.is_authenticated else "anon"
        return super().allow_request(request, view)


class WriteThrottle(RateThrottle):
    """RATE_WRITE for each signed-in reader's calls that change something."""

    scope = "write"

    def identities(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """The reader; nobody for a call that only reads."""
        if request.method in ("GET", "HEAD", "OPTIONS") or not (request.user and request.user.is_authenticated):
            return []
        return [(str(request.user.pk), 1)]


class AddressThrottle(RateThrottle):
    """A rate for each address; subclasses name the scope."""

    def identities(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """The address."""
        return [(network(client_address(request)), 1)]


class RegisterThrottle(AddressThrottle):
    """RATE_REGISTER for each address."""

    scope = "register"


class InviteThrottle(RateThrottle):
    """RATE_INVITE for each signed-in reader, ten times it for an address over all readers."""

    scope = "invite"

    def identities(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """The reader and the address."""
        return [(f"user {request.user.pk}", 1), (network(client_address(request)), 10)]


class LoginThrottle(RateThrottle):
    """RATE_LOGIN, as `login_identities` counts it. Counted before any password is hashed."""

    scope = "login"
    field = "username"

    def identities(self, request: Request, view: APIView) -> Iterable[tuple[str, int]]:
        """The address with the account it asks for, and the address."""
        return login_identities(client_address(request), self.account(request))

    def account(self, request: Request) -> str:
        """The account that the body names."""
        data: Any = request.data
        account = data.get(self.field) if isinstance(data, dict) else None
        return account if isinstance(account, str) else ""
