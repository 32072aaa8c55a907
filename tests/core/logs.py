"""Access to the logs in tests."""

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings

Lines = Callable[[], list[dict[str, Any]]]


def new_lines(name: str) -> Lines:
    """Return a function that returns the lines added to a log since this call."""
    path = settings.LOG_DIR / name
    start = path.stat().st_size if path.exists() else 0

    def read() -> list[dict[str, Any]]:
        with path.open(encoding="utf-8") as log:
            log.seek(start)
            return [json.loads(line) for line in log]

    return read
