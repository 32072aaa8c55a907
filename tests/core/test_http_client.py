"""The HTTP client for services outside connects only to public addresses, and ends in time."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from core.http_client import AddressRefusedError, CheckingBackend, HTTPClient, RequestFailedError, Response, is_public


def nobody(host):
    return False


def everybody(host):
    return True


@contextmanager
def listener(reply: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"):
    """Answer each connection with these bytes. Yield the port and the list of received requests."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            try:
                connection, _address = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                received.append(connection.recv(65536))
                try:
                    connection.sendall(reply)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], received
        finally:
            with socket.socket() as last:  # ends a thread that still waits
                last.connect_ex(server.getsockname())
            thread.join(5)


@pytest.fixture
def resolves_to(monkeypatch):
    """Let every host name resolve to these addresses; returns the names that were asked for."""
    asked: list[str] = []

    def resolve_to(*addresses):
        def getaddrinfo(host, port, *args, **kwargs):
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in addresses]

        monkeypatch.setattr("core.http_client.socket.getaddrinfo", getaddrinfo)
        return asked

    return resolve_to


def post(url, allow=nobody):
    client = HTTPClient(allow_any_address=allow)
    try:
        return client.post(url, headers={}, body=b"{}")
    finally:
        client.close()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("::1", "::", "fc00::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1"),
    ],
)
def test_address_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "142.250.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_private_address_gets_no_connection(host):
    with listener() as (port, received):
        with pytest.raises(RequestFailedError):
            post(f"http://{host}:{port}/")
        assert not received


def test_name_of_a_private_address_gets_no_connection(resolves_to):
    with listener() as (port, received):
        resolves_to("127.0.0.1")
        with pytest.raises(RequestFailedError):
            post(f"http://push.example.org:{port}/")
        resolves_to("1.1.1.1", "127.0.0.1")  # one of several
        with pytest.raises(AddressRefusedError):
            CheckingBackend(nobody).connect_tcp("push.example.org", port)
        assert not received


def test_name_is_resolved_once_for_check_and_connection(monkeypatch, resolves_to):
    connected = []

    def create_connection(address, *args, **kwargs):
        connected.append(address)
        raise OSError

    monkeypatch.setattr("socket.create_connection", create_connection)
    asked = resolves_to("1.1.1.1")
    with pytest.raises(RequestFailedError):
        post("https://push.example.org/x")
    assert asked == ["push.example.org"]
    assert connected == [("1.1.1.1", 443)]


def test_allowed_name_may_be_private(resolves_to):
    with listener() as (port, received):
        resolves_to("127.0.0.1")
        response = post(f"http://push.example.org:{port}/x?y=1", everybody)
    assert (response.status, response.body) == (200, b"ok")
    assert received[0].startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert f"Host: push.example.org:{port}\r\n".encode() in received[0]


def test_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with listener() as (port, _received):
        assert post(f"http://127.0.0.1:{port}/", everybody).status == 200


def test_long_response_is_cut_off():
    with listener(b"HTTP/1.1 500 X\r\n\r\n" + b"x" * 2_000_000) as (port, _received):
        response = post(f"http://127.0.0.1:{port}/", everybody)
    assert (response.status, len(response.body)) == (500, 20_000)


@pytest.mark.parametrize("reply", [b"", b"HTTP/9", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b"\0" * 200_000])
def test_malformed_response_is_a_failure(reply):
    with listener(reply) as (port, _received), pytest.raises(RequestFailedError):
        post(f"http://127.0.0.1:{port}/", everybody)


def test_server_without_tls_is_a_failure():
    with listener(b"HTTP/1.1 200 OK\r\n\r\n") as (port, _received), pytest.raises(RequestFailedError):
        post(f"https://127.0.0.1:{port}/", everybody)


def test_silent_tls_handshake_ends_in_time(monkeypatch):
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 0.5)
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(RequestFailedError):
        post(f"https://127.0.0.1:{server.getsockname()[1]}/", everybody)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("", 0), ("120", 120), ("-5", 0), ("soon", 0), ("١", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after(value, seconds):
    assert Response(429, {"retry-after": value}, b"").retry_after == seconds
