"""Circuit breaker."""

from core import redis


def test_breaker_lets_one_call_through_after_each_pause(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(redis.time, "monotonic", lambda: clock[0])
    breaker = redis.CircuitBreaker(seconds=10)
    assert [breaker.allow_call() for _ in range(3)] == [True, True, True]
    breaker.trip()
    assert [breaker.allow_call() for _ in range(3)] == [False, False, False]
    clock[0] += 11
    assert [breaker.allow_call() for _ in range(3)] == [True, False, False]
    clock[0] += 11
    assert breaker.allow_call()
    breaker.reset()
    assert [breaker.allow_call() for _ in range(3)] == [True, True, True]
