"""Simulate callers against the default throttle rates: who is rejected, and how many guesses an attacker has.

    python benchmarks/rates.py

Prints a table for docs/scale.md. The clock is simulated, so a day takes seconds. The counters are those of the server
(`core.api.throttling`), in memory.
"""

import os
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")

import django

django.setup()

from core.api import throttling

MINUTE, HOUR, DAY = 60, 3600, 86400
ROUTER = "203.0.113.7"
# Seconds, scope of the rate, identities with their factors.
Call = tuple[float, str, list[tuple[str, int]]]


def _anonymous(second: float) -> Call:
    return second, "anon", [(ROUTER, 1)]


def _refresh(second: float) -> Call:
    return second, "anon", [(f"{ROUTER} refresh", 10)]


def _by_user(second: float, user: int, scope: str = "user") -> Call:
    return second, scope, [(str(user), 1)]


def _login(second: float, account: str) -> Call:
    return second, "login", throttling.login_idents(ROUTER, account)


def colleagues() -> Iterator[Call]:
    """Yield the calls of sixty colleagues who open one invitation link within a minute, sign up, and read."""
    for user in range(60):
        start = random.uniform(0, 45)
        yield start, "invite", [(ROUTER, 10)]
        yield start + 5, "register", [(f"{ROUTER} invited", 10)]
        yield from (_by_user(start + 6 + n / 10, user) for n in range(25))
        yield from (_by_user(start + 9 + n, user, "write") for n in range(5))


def waking_phone() -> Iterator[Call]:
    """Yield the calls of a phone that wakes up: a refresh, then forty calls at once, eight of them writes."""
    yield _refresh(0)
    yield from (_by_user(1 + n / 100, 1) for n in range(40))
    yield from (_by_user(2, 1, "write") for _ in range(8))


def carrier() -> Iterator[Call]:
    """Yield an hour of 5,000 phones behind one address of a carrier, some without an account."""
    for phone in range(5_000):
        yield from (_refresh(second) for second in _times(HOUR, every=15 * MINUTE))
        if random.random() < 0.05:
            yield _login(random.uniform(0, HOUR), f"reader{phone}")
        if random.random() < 0.1:  # reads public pages without an account for five minutes
            start = random.uniform(0, HOUR)
            yield from (_anonymous(start + second) for second in _times(5 * MINUTE, every=6))


def guesser(accounts: int) -> Iterator[Call]:
    """Yield a day of guesses from one address, five each second, at some accounts in turn."""
    return (_login(n / 5, f"reader{n % accounts}") for n in range(5 * DAY))


def scraper() -> Iterator[Call]:
    """Yield an hour of anonymous reads, fifty each second."""
    return (_anonymous(n / 50) for n in range(50 * HOUR))


def _times(seconds: float, *, every: float) -> Iterator[float]:
    time = random.uniform(0, every)
    while time < seconds:
        yield time
        time += random.expovariate(1 / every)


def run(calls: Iterable[Call]) -> tuple[int, int]:
    """Return the number of calls, and of those that were rejected."""
    throttling.memory.clear()
    made = rejected = 0
    with mock.patch.object(throttling.time, "monotonic") as clock:
        for second, scope, identities in sorted(calls, key=lambda call: call[0]):
            clock.return_value, made = second, made + 1
            rejected += throttling.check_rate(scope, identities) is not None
    return made, rejected


def main() -> None:
    """Print the table."""
    random.seed(7)
    scenarios = {
        "60 colleagues sign up behind one router within a minute": colleagues(),
        "a phone wakes up with 40 calls": waking_phone(),
        "5,000 phones behind one address of a carrier, an hour": carrier(),
        "guesses at one account from one address, a day": guesser(1),
        "guesses at 1,000 accounts from one address, a day": guesser(1_000),
        "50 anonymous reads a second, an hour": scraper(),
    }
    print("| callers | calls | rejected | accepted |\n| --- | ---: | ---: | ---: |")
    for name, calls in scenarios.items():
        made, rejected = run(calls)
        print(f"| {name} | {made:,} | {rejected:,} | {made - rejected:,} |")


if __name__ == "__main__":
    main()
