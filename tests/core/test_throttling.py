"""Throttling: exact for parallel calls, safe from forged headers, in bounded memory."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from core.api import throttling
from core.api.throttling import LocalCounterStore
from tests.core.conftest import reset_cache

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]

LIMITED = "/api/v1/probe/limited/"


@pytest.fixture
def patient_redis(monkeypatch):
    """Long timeouts, so that a busy machine does not open the circuit breaker."""
    if settings.REDIS_URL:
        for name in ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"):
            monkeypatch.setitem(settings.CACHES["default"]["OPTIONS"], name, 20)
    reset_cache()
    yield
    reset_cache()


def test_40_parallel_calls_are_counted_exactly(patient_redis):
    # The counter itself, in Redis or in memory: a test has only one database connection for requests.
    barrier = threading.Barrier(40)

    def call(n: int) -> int:
        barrier.wait()
        return throttling.increment("test:parallel", 60)[0]

    for _round in range(5):
        with ThreadPoolExecutor(40) as pool:
            counts = list(pool.map(call, range(40)))
        assert sum(count <= 10 for count in counts) <= 10
    assert throttling.increment("test:parallel", 60)[0] == 201


def test_rate_applies_until_the_window_ends(anonymous, rate):
    rate("register", 3, 2)
    assert [anonymous.get(LIMITED).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    response = anonymous.get(LIMITED)
    wait = int(response["Retry-After"])
    assert 1 <= wait <= 2
    time.sleep(wait)
    assert anonymous.get(LIMITED).status_code == 200


def test_rate_limit_headers_show_what_is_left(anonymous, rate):
    rate("register", 3, 60)
    responses = [anonymous.get(LIMITED) for _ in range(5)]
    assert {response["RateLimit-Policy"] for response in responses} == {'"register";q=3;w=60'}
    states = [re.fullmatch(r'"register";r=(\d+);t=(\d+)', response["RateLimit"]) for response in responses]
    assert [int(state[1]) for state in states] == [2, 1, 0, 0, 0]
    assert all(55 <= int(state[2]) <= 60 for state in states)
    assert int(responses[-1]["Retry-After"]) <= int(states[-1][2]) + 1


def test_rate_limit_headers_name_each_rate_of_a_write(client_of, alice, rate):
    rate("user", 50, 60)
    rate("write", 20, 60)
    client = client_of(alice)
    read, write = client.get("/api/v1/users/me/"), client.patch("/api/v1/users/me/", {"bio": "Reader"})
    assert read["RateLimit-Policy"] == '"user";q=50;w=60'
    assert write["RateLimit-Policy"] == '"user";q=50;w=60, "write";q=20;w=60'
    assert re.fullmatch(r'"user";r=48;t=\d+, "write";r=19;t=\d+', write["RateLimit"])


def test_rate_off_limits_nothing(anonymous, monkeypatch):
    monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "register", None)
    assert {anonymous.get(LIMITED).status_code for _ in range(50)} == {200}


def test_forwarded_address_is_ignored_without_proxies(anonymous, rate):
    rate("register", 3)
    responses = [anonymous.get(LIMITED, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}").status_code for n in range(6)]
    assert responses == [200] * 3 + [429] * 3
    assert anonymous.get(LIMITED, REMOTE_ADDR="192.0.2.99").status_code == 200


def test_one_trusted_proxy_sets_the_address(anonymous, rate, monkeypatch):
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", 1)
    rate("register", 3)
    responses = [
        anonymous.get(LIMITED, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}, 198.51.100.1").status_code for n in range(6)
    ]
    assert responses == [200] * 3 + [429] * 3
    assert anonymous.get(LIMITED, HTTP_X_FORWARDED_FOR="192.0.2.1, 198.51.100.2").status_code == 200


def test_outermost_of_two_trusted_proxies_sets_the_address(anonymous, rate, monkeypatch):
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", 2)
    rate("register", 1)
    assert anonymous.get(LIMITED, HTTP_X_FORWARDED_FOR="9.9.9.9, 192.0.2.1, 10.0.0.1").status_code == 200
    assert anonymous.get(LIMITED, HTTP_X_FORWARDED_FOR="8.8.8.8, 192.0.2.1, 10.0.0.2").status_code == 429
    assert anonymous.get(LIMITED, HTTP_X_FORWARDED_FOR="8.8.8.8, 192.0.2.2, 10.0.0.2").status_code == 200


def test_ipv6_addresses_are_counted_by_network(anonymous, rate):
    rate("register", 3)
    responses = [anonymous.get(LIMITED, REMOTE_ADDR=f"2001:db8:0:1::{n:x}").status_code for n in range(6)]
    assert responses == [200] * 3 + [429] * 3
    assert anonymous.get(LIMITED, REMOTE_ADDR="2001:db8:0:2::1").status_code == 200
    assert anonymous.get(LIMITED, REMOTE_ADDR="::ffff:192.0.2.1").status_code == 200
    assert [anonymous.get(LIMITED, REMOTE_ADDR="192.0.2.1").status_code for _ in range(3)] == [200, 200, 429]


def test_users_and_addresses_are_counted_separately(client_of, alice, bob, anonymous, rate):
    rate("user", 2)
    rate("anon", 1)
    me, other = client_of(alice), client_of(bob)
    assert [me.get("/api/v1/users/me/").status_code for _ in range(3)] == [200, 200, 429]
    assert other.get("/api/v1/users/me/").status_code == 200
    assert [anonymous.get("/api/v1/books/").status_code for _ in range(2)] == [200, 429]


def test_write_rate_ignores_reads(client_of, alice, rate):
    rate("write", 2)
    me = client_of(alice)
    assert {me.get("/api/v1/users/me/").status_code for _ in range(5)} == {200}
    assert [me.patch("/api/v1/users/me/", {}).status_code for _ in range(3)] == [200, 200, 429]
    assert me.get("/api/v1/users/me/").status_code == 200


def test_memory_counter_is_bounded():
    counter = LocalCounterStore(max_entries=1000)
    started = time.monotonic()
    for n in range(20_000):
        counter.increment(f"key {n}", 3600)
    assert len(counter.windows) <= 1000
    assert time.monotonic() - started < 30  # copying all windows on each call would take minutes


def test_memory_counter_drops_ended_windows_first():
    counter = LocalCounterStore(max_entries=10)
    counter.increment("live", 3600)
    for n in range(9):
        counter.increment(f"short {n}", 0)
    counter.increment("new", 3600)
    assert set(counter.windows) == {"live", "new"}
    assert counter.increment("live", 3600)[0] == 2
