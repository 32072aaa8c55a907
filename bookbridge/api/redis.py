"""Redis that may be gone: a circuit breaker under every connection.

django-redis already turns a failed cache call into a miss. A frozen server costs a time-out per call, though, and a
request makes several; after one failure this process leaves Redis alone for a while, so that a request pays at most
one time-out, and the cache is in use again soon after it is back.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django_redis.serializers.json import JSONSerializer
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

from bookbridge.api.breaker import Breaker

breaker = Breaker()


def check() -> None:
    """Raise ConnectionError at once while Redis is left alone."""
    if breaker.is_open:
        raise ConnectionError("Redis failed a moment ago and is left alone")


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """Ask the breaker before a call, and trip it on failure."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        check()
        try:
            return method(*args, **kwargs)
        except (ConnectionError, TimeoutError):
            breaker.trip()
            raise

    return call


class GuardedConnection(Connection):
    """A connection that asks the breaker before it touches the network."""

    connect = _guarded(Connection.connect)
    send_packed_command = _guarded(Connection.send_packed_command)
    read_response = _guarded(Connection.read_response)


class GuardedSSLConnection(SSLConnection):
    """The same over TLS."""

    connect = _guarded(SSLConnection.connect)
    send_packed_command = _guarded(SSLConnection.send_packed_command)
    read_response = _guarded(SSLConnection.read_response)


class Serializer(JSONSerializer):
    """JSON, never pickle, which would run what it reads; a value that is no JSON is a miss."""

    def loads(self, value: bytes) -> Any:
        """The value, or None for what this application cannot have written."""
        try:
            return super().loads(value)
        except (ValueError, RecursionError):
            return None


class Pool(ConnectionPool):
    """Connections with the breaker and without retries: a retry would be a second time-out."""

    def __init__(self, connection_class: type = Connection, **kwargs: Any) -> None:
        guarded = GuardedSSLConnection if issubclass(connection_class, SSLConnection) else GuardedConnection
        super().__init__(connection_class=guarded, **(kwargs | {"retry": Retry(NoBackoff(), 0)}))
