"""Benchmark of readings: a million of them, of 10,000 users who have 99 each and one who has 10,000.

    DATABASE_URL=mysql://... .venv/bin/python benchmarks/readings.py     # after manage.py migrate

Creates 20,000 books, the users and the readings at the first call, and prints the number of queries and the best of
three times of each request with an empty cache, in milliseconds. Needs MariaDB or MySQL.
"""

import datetime
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")
os.environ["ALLOWED_HOSTS"] = "testserver"
os.environ |= {f"RATE_{name}": "off" for name in ("ANON", "USER", "WRITE")}

import django

django.setup()

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from generated_rows import analyze, create_numbers, fill, random_int
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from catalog.models import Book
from readings.models import Reading

BOOKS, USERS, READINGS_OF_ONE, READINGS_OF_EACH = 20_000, 10_000, 10_000, 99
API = "/api/v1/users/me/"


def build() -> None:
    """Create the books, users and readings."""
    total = READINGS_OF_ONE + USERS * READINGS_OF_EACH
    create_numbers(total)
    text = {"title": "CONCAT('Work ', n)", "title_key": "CONCAT('work ', n)", "author": "'A. Author'"}
    books = fill(Book, BOOKS, search_text="''", **text)
    name = "CONCAT('bench-reader', n)"
    users = fill(User, USERS + 1, username=name, username_key=name, password="'!'")
    # The first user has the first readings; then every user has the same number.
    fill(
        Reading,
        total,
        user=f"IF(n <= {READINGS_OF_ONE}, {users} + 1, {users} + 2 + MOD(n, {USERS}))",
        book=f"{books} + 1 + {random_int(BOOKS, 'book')}",
        state="ELT(1 + MOD(n, 10), 'reading', 'stopped', " + ", ".join(["'finished'"] * 8) + ")",
        percent="IF(MOD(n, 10) < 2, 40, 100)",
        finished_on=f"IF(MOD(n, 10) = 0, NULL, DATE_SUB(CURRENT_DATE, INTERVAL {random_int(1500, 'day')} DAY))",
        source="'own'",
    )
    analyze()


def cost(call: Callable[[], Any]) -> tuple[int, float]:
    """Return the number of queries and the best of three times in milliseconds."""
    times = []
    for _ in range(3):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            response = call()
            list(response)  # an export is streamed
            times.append((time.perf_counter() - started) * 1000)
        assert response.status_code < 300, response.content
    return len(queries), min(times)


def calls(client: APIClient, book: int) -> dict[str, Callable[[], Any]]:
    """Return the requests by their names."""
    year = f"{API}year/{datetime.date.today().year - 1}/"
    return {
        "list": lambda: client.get(f"{API}readings/"),
        "list by state": lambda: client.get(f"{API}readings/?state=finished"),
        "the year in books": lambda: client.get(year),
        "its card": lambda: client.get(f"{year}card.png", HTTP_ACCEPT="*/*"),
        "export as CSV": lambda: client.get(f"{API}export.csv", HTTP_ACCEPT="*/*"),
        "a reading added": lambda: client.post(f"{API}readings/", {"book": book, "state": "finished"}),
    }


def main() -> None:
    """Fill the database if needed, and print the table."""
    if not User.objects.filter(username_key="bench-reader1").exists():
        build()
    print(f"{connection.vendor}: {Reading.objects.count():,} readings")
    logging.disable(logging.INFO)
    for name in ("bench-reader2", "bench-reader1"):
        user = User.objects.get(username_key=name)
        client = APIClient(HTTP_ACCEPT="application/json")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.sign_in(user, device='benchmark').access}")
        print(f"{user.readings.count():,} readings of the user")
        for label, call in calls(client, Book.objects.latest("pk").pk).items():
            queries, milliseconds = cost(call)
            print(f"  {label:20}{queries:4} queries {milliseconds:8.1f} ms")


if __name__ == "__main__":
    main()
