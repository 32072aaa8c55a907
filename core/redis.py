"""Redis connections with a circuit breaker.

django-redis already turns a failed cache call into a miss, but every call to an unresponsive server waits for the
timeout, and a request makes several calls. After a failure this process does not use Redis for a few seconds, so that a
request waits for one timeout at most, and the cache is used again soon after it has recovered.
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django_redis.serializers.json import JSONSerializer
from prometheus_client import Counter
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError, TimeoutError
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection

logger = logging.getLogger("bookbridge.redis")

# A server that was demoted to a replica, or whose memory is full, cannot count calls.
FAILURES = (ConnectionError, TimeoutError, ReadOnlyError, OutOfMemoryError)
LOG_INTERVAL_SECONDS = 60.0
FAILURE_COUNT = Counter("bookbridge_redis_failures_total", "Number of calls that Redis did not answer or refused.")


class CircuitBreaker:
    """A circuit breaker: open (no calls) for `seconds` after each failure.

    Threads share it without a lock; two concurrent calls may both wait for the timeout.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self.open_until = 0.0

    def trip(self) -> None:
        """Open the breaker after a failure."""
        self.open_until = time.monotonic() + self.seconds

    def reset(self) -> None:
        """Close the breaker after a success."""
        self.open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are rejected."""
        return time.monotonic() < self.open_until

    @property
    def is_failing(self) -> bool:
        """Whether calls have failed since the last success."""
        return bool(self.open_until)

    def allow_call(self) -> bool:
        """Return whether a call may be made: always before a failure, and once per `seconds` after one."""
        if self.is_open:
            return False
        if self.is_failing:
            self.trip()
        return True


class LoggingCircuitBreaker(CircuitBreaker):
    """A circuit breaker that logs failures: one line a minute while they last."""

    def __init__(self, seconds: float = 5.0) -> None:
        super().__init__(seconds)
        self.logged_at = float("-inf")

    def fail(self, error: Exception) -> None:
        """Open the breaker after a failure."""
        self.trip()
        FAILURE_COUNT.inc()
        if time.monotonic() - self.logged_at > LOG_INTERVAL_SECONDS:
            self.logged_at = time.monotonic()
            logger.error("Redis is not used for some seconds: %s", type(error).__name__)


breaker = LoggingCircuitBreaker()


def raise_if_open() -> None:
    """Raise ConnectionError while the breaker is open."""
    if breaker.is_open:
        raise ConnectionError("Redis is not used for a few seconds after a failure")


def _with_circuit_breaker(method: Callable[..., Any], *, is_response: bool = False) -> Callable[..., Any]:
    """Check the breaker before a call, open it on failure, and reset it after a response."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        raise_if_open()
        try:
            result = method(*args, **kwargs)
        except FAILURES as error:
            breaker.fail(error)
            raise
        if is_response and breaker.is_failing:
            breaker.reset()
        return result

    return call


class CircuitBreakerConnection(Connection):
    """A connection that checks the breaker before it uses the network."""

    connect = _with_circuit_breaker(Connection.connect)
    send_packed_command = _with_circuit_breaker(Connection.send_packed_command)
    read_response = _with_circuit_breaker(Connection.read_response, is_response=True)


class CircuitBreakerSSLConnection(SSLConnection):
    """A `CircuitBreakerConnection` over TLS."""

    connect = _with_circuit_breaker(SSLConnection.connect)
    send_packed_command = _with_circuit_breaker(SSLConnection.send_packed_command)
    read_response = _with_circuit_breaker(SSLConnection.read_response, is_response=True)


class CircuitBreakerUnixConnection(UnixDomainSocketConnection):
    """A `CircuitBreakerConnection` over a Unix socket."""

    connect = _with_circuit_breaker(UnixDomainSocketConnection.connect)
    send_packed_command = _with_circuit_breaker(UnixDomainSocketConnection.send_packed_command)
    read_response = _with_circuit_breaker(UnixDomainSocketConnection.read_response, is_response=True)


class CircuitBreakerSentinelConnection(SentinelManagedConnection):
    """A `CircuitBreakerConnection` to the server that the Sentinels name."""

    connect = _with_circuit_breaker(SentinelManagedConnection.connect)
    send_packed_command = _with_circuit_breaker(SentinelManagedConnection.send_packed_command)
    read_response = _with_circuit_breaker(SentinelManagedConnection.read_response, is_response=True)


class SafeJSONSerializer(JSONSerializer):
    """JSON, not pickle, which would execute what it reads; a value that is not JSON is a miss."""

    def loads(self, value: bytes) -> Any:
        """Return the value, or None if this application cannot have written it."""
        try:
            return super().loads(value)
        except (ValueError, RecursionError):
            return None


NO_RETRY = Retry(NoBackoff(), 0)


class CircuitBreakerPool(ConnectionPool):
    """Connections with the breaker, and without retries: a retry would wait for a second timeout."""

    def __init__(self, connection_class: type = Connection, **kwargs: Any) -> None:
        checked: type = CircuitBreakerConnection
        if issubclass(connection_class, SSLConnection):
            checked = CircuitBreakerSSLConnection
        elif issubclass(connection_class, UnixDomainSocketConnection):
            checked = CircuitBreakerUnixConnection
            kwargs.pop("socket_connect_timeout", None)
        super().__init__(connection_class=checked, **(kwargs | {"retry": NO_RETRY}))


class CircuitBreakerSentinelPool(SentinelConnectionPool):
    """A `CircuitBreakerPool` of connections to the primary that the Sentinels name."""

    def __init__(self, service_name: str, sentinel_manager: Any, **kwargs: Any) -> None:
        kwargs |= {"connection_class": CircuitBreakerSentinelConnection, "retry": NO_RETRY}
        super().__init__(service_name, sentinel_manager, **kwargs)
