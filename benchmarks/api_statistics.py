"""Benchmark of the statistics without cache: queries and milliseconds.

    DATABASE_URL=... .venv/bin/python benchmarks/api_statistics.py

Fill the database first (`manage.py seed_demo --users 100000 --clubs 5000 --reviews 300000`); only a session of one user
is added to it. The clubs are the largest and the oldest. The
milliseconds are the median of 21 calls.
"""

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

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from catalog.models import Book
from clubs.club.models import Club


def cost(client: APIClient, url: str) -> tuple[int, float]:
    """Return the number of queries and the median milliseconds, each time with an empty cache."""
    times = []
    for _ in range(21):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            response = client.get(url)
            times.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, response.content
    return len(queries), statistics.median(times)


def main() -> None:
    """Print the table."""
    client = APIClient(HTTP_ACCEPT="application/json")
    large, small = (Club.objects.filter(visibility="public").order_by(order)[0] for order in ("-members_count", "id"))
    book = Book.objects.order_by("-ratings_count")[0]
    user = User.objects.filter(reviews__isnull=False).order_by("-id")[0]
    authenticated = APIClient(HTTP_ACCEPT="application/json")
    authenticated.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.sign_in(user, device='benchmark').access}")
    print(f"{connection.vendor}: {User.objects.count()} users, {Club.objects.count()} clubs")
    for api, url, name in (
        (client, "/api/v1/stats/", "the platform"),
        (client, f"/api/v1/clubs/{large.pk}/stats/", f"a club of {large.members_count}"),
        (client, f"/api/v1/clubs/{small.pk}/stats/", f"a club of {small.members_count}"),
        (client, f"/api/v1/books/{book.pk}/stats/", f"a book of {book.ratings_count} ratings"),
        (authenticated, "/api/v1/users/me/stats/", "a user"),
    ):
        queries, milliseconds = cost(api, url)
        print(f"{name:30}{queries:4} queries {milliseconds:8.1f} ms")


if __name__ == "__main__":
    main()
