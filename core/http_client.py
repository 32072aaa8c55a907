"""HTTP client for external services, with limits of time and size; an address may be chosen by a user.

No redirects are followed and no proxy settings are read. A host name is resolved once for each connection, all its
addresses are checked, and the connection goes to one of them: a name that resolves to another address a moment later
(DNS rebinding) has no effect. Certificates are verified for the name.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from ssl import SSLContext
from typing import Any, NamedTuple

import httpcore
from django.utils import timezone

CONNECT_SECONDS, TOTAL_SECONDS = 2.0, 5.0
MAX_RESPONSE_BYTES = 20_000
# NAT64 and other translations of IPv4 addresses are outside of it, 6to4 and Teredo are refused by name.
GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")

# With OSError of TLS, and the others for a URL that cannot be sent and for errors inside httpcore's HTTP/2.
REQUEST_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
    OSError,
    ValueError,
    RuntimeError,
)
# When the request of this thread must have ended, by the monotonic clock.
_deadline: ContextVar[float] = ContextVar("deadline")


class RequestFailedError(Exception):
    """There was no complete response. It has no message, because the URL may be a secret."""


class AddressRefusedError(httpcore.ConnectError):
    """The host name resolves to an address that is not public."""


class Response(NamedTuple):
    """The start of a response; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float:
        """Seconds to wait before another request; 0 if the response does not say."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value), 1e9)
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        aware = until if until.tzinfo else until.replace(tzinfo=datetime.UTC)
        return max((aware - timezone.now()).total_seconds(), 0.0)


class HTTPClient:
    """Sends requests, from several threads at once, over connections that it keeps until `close`.

    `allow_any_address` tells for which host names the addresses are not checked.
    """

    def __init__(self, *, allow_any_address: Callable[[str], bool], http1: bool = True, http2: bool = False) -> None:
        backend = CheckingBackend(allow_any_address)
        self._pool = httpcore.ConnectionPool(network_backend=backend, http1=http1, http2=http2, max_connections=100)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Response:
        """Send a POST request. Raises RequestFailedError."""
        _deadline.set(time.monotonic() + TOTAL_SECONDS)
        timeout = {"connect": CONNECT_SECONDS, **dict.fromkeys(("read", "write", "pool"), TOTAL_SECONDS)}
        sent = {"User-Agent": "BookBridge/1", "Content-Length": str(len(body)), **headers}
        try:
            with self._pool.stream(
                "POST", url, headers=_with_host(url, sent), content=body, extensions={"timeout": timeout}
            ) as response:
                received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return Response(response.status, received, _read_start(response.iter_stream()))
        except REQUEST_ERRORS:
            raise RequestFailedError from None


class CheckingBackend(httpcore.SyncBackend):
    """Connects only to checked addresses."""

    def __init__(self, allow_any_address: Callable[[str], bool]) -> None:
        self._allow_any_address = allow_any_address

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that can be reached."""
        addresses = resolve(host)
        if not self._allow_any_address(host) and not all(map(is_public, addresses)):
            raise AddressRefusedError
        error: Exception = httpcore.ConnectError()
        for address in addresses:
            try:
                stream = super().connect_tcp(address, port, _remaining(timeout), local_address, socket_options)
            except httpcore.ConnectError as failure:
                error = failure
            else:
                return DeadlineStream(stream)
        raise error


class DeadlineStream(httpcore.NetworkStream):
    """A stream that ends at the deadline of the request, however slowly the bytes arrive."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read some bytes before the deadline."""
        return self._stream.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the bytes before the deadline."""
        self._stream.write(buffer, _remaining(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the stream with TLS."""
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, _remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """Return httpcore's information about the connection."""
        return self._stream.get_extra_info(info)


def resolve_in_time(host: str, seconds: float = CONNECT_SECONDS) -> list[str]:
    """Return the IP addresses of a host name, for a request that must not wait for a slow name server.

    Raises httpcore.ConnectError, also if the time is over.
    """
    threads = ThreadPoolExecutor(1, thread_name_prefix="resolver")
    try:
        return threads.submit(resolve, host).result(seconds)
    except TimeoutError:
        raise httpcore.ConnectError from None
    finally:
        threads.shutdown(wait=False)


def resolve(host: str) -> list[str]:
    """Return the IP addresses of a host name. Raises httpcore.ConnectError."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError from None
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public Internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # such as fe80::1%eth0
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            embedded = ip.sixtofour or ip.teredo
            return ip in GLOBAL_IPV6 and ip.is_global and not embedded
        ip = ip.ipv4_mapped
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def _remaining(timeout: float | None) -> float:
    """Return the seconds that a step may take. Raises httpcore.TimeoutException when there are none left."""
    seconds = _deadline.get() - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout
    return seconds if timeout is None else min(seconds, timeout)


def _with_host(url: str, headers: Mapping[str, str]) -> dict[bytes | str, bytes | str]:
    """Return the headers with `Host`, which httpcore leaves to its caller."""
    parsed = httpcore.URL(url)
    host, default = parsed.host.decode("ascii"), {b"https": 443, b"http": 80}.get(parsed.scheme)
    name = f"[{host}]" if ":" in host else host
    sent: dict[bytes | str, bytes | str] = {"Host": name if parsed.port in (None, default) else f"{name}:{parsed.port}"}
    sent.update(headers)
    return sent


def _read_start(chunks: Iterable[bytes]) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) >= MAX_RESPONSE_BYTES:
            break
    return body[:MAX_RESPONSE_BYTES]
