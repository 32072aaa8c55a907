"""Benchmark of the first and the 500th page of the book list in each order: queries and milliseconds.

    DATABASE_URL=... .venv/bin/python benchmarks/pages.py [--page 500]

Only reads the database (import the goodbooks file first). The page is reached by following `next`, like a client; the
milliseconds are the median of 21 calls in this process, without network.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")
os.environ["ALLOWED_HOSTS"] = "testserver"
os.environ |= {f"RATE_{name}": "off" for name in ("ANON", "USER", "WRITE")}

import django

django.setup()

from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

ORDERS = ("-ratings_count", "-average_rating", "title", "-published_year", "-created_at")


def cost(client: APIClient, url: str) -> tuple[int, float]:
    """Return the number of queries and the median milliseconds."""
    reset_queries()
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    times = []
    for _ in range(21):
        started = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - started) * 1000)
    return len(queries), statistics.median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--page", type=int, default=500)
    parser.add_argument("--path", default="/api/v1/books/")
    parser.add_argument("--orders", nargs="*", default=ORDERS)
    options = parser.parse_args()
    client = APIClient(HTTP_ACCEPT="application/json")
    print(f"{connection.vendor}: {options.path}\n{'order':18}{'page':>6}{'queries':>9}{'ms':>8}")
    for order in options.orders:
        first = f"{options.path}?ordering={order}"
        url = first
        for _ in range(options.page - 1):
            url = client.get(url).json()["next"]
        for number, at in ((1, first), (options.page, url)):
            queries, ms = cost(client, at)
            print(f"{order:18}{number:6}{queries:9}{ms:8.1f}")


if __name__ == "__main__":
    main()
