"""What the tests of races share."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

# How often a race is run: a fault that shows once in ten times must have its chance. CI runs a short form.
ROUNDS = int(os.environ.get("RACE_ROUNDS", "20"))


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls behind a barrier, each in a thread with a connection of its own; their answers in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=20)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
