"""Helpers for tests of concurrency."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

# Repetitions of each test, enough to find a fault that occurs once in ten runs. CI uses fewer.
ROUNDS = int(os.environ.get("RACE_ROUNDS", "20"))


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls simultaneously, each in a thread with its own connection. Return their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=20)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def statuses(responses: Sequence[Any]) -> Counter[int]:
    """Return how many responses have each status. No response may be a server error."""
    errors = [response.content for response in responses if response.status_code >= 500]
    assert errors == []
    return Counter(response.status_code for response in responses)
