"""Check the book statistics of the API against the goodbooks file, scaled down to a thousandth.

    DATABASE_URL=... .venv/bin/python benchmarks/goodbooks_ratings.py ../shared/data/goodbooks/books.csv

Needs a new database into which the file has been imported. Creates users and about 573,000 reviews, requests the mean
rating and histogram of every book, and compares them with values computed from the file. Exits with status 1 if any
differ.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "off")
os.environ.setdefault("SECRET_KEY", "for a benchmark alone: " + "x" * 40)
os.environ["ALLOWED_HOSTS"] = "testserver"
os.environ |= {f"RATE_{name}": "off" for name in ("ANON", "USER", "WRITE")}

import django

django.setup()

from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from core.db.locking import batched
from reviews.models import Review

SCALE = 1000
BATCH = 5000


def expected(stars: list[int]) -> dict[str, Any]:
    """Return the expected statistics of a book with these numbers of ratings of 1 to 5 stars."""
    count, total = sum(stars), sum(n * many for n, many in enumerate(stars, start=1))
    mean = float((Decimal(total) / count).quantize(Decimal("0.01"), ROUND_HALF_UP)) if count else None
    histogram = {f"{n / 2:.1f}": 0 if n % 2 else stars[n // 2 - 1] for n in range(1, 11)}
    return {"average_rating": mean, "ratings_count": count, "histogram": histogram}


def reviews(books: dict[str, int], counts: dict[str, list[int]], users: list[int]) -> Iterator[Review]:
    """Yield the reviews of all books, each by a different user."""
    for work, stars in counts.items():
        ratings = (2 * n for n, many in enumerate(stars, start=1) for _ in range(many))
        for user, rating in zip(users, ratings, strict=False):
            yield Review(book_id=books[work], author_id=user, rating=rating)


def main() -> int:
    """Create the reviews and compare the statistics."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    with parser.parse_args().file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = {row["work_id"]: [int(row[f"ratings_{n}"]) // SCALE for n in range(1, 6)] for row in rows}
    books = {str(origin).partition(":")[2]: pk for pk, origin in Book.objects.values_list("pk", "origin")}
    names = [f"goodbooks-{n}" for n in range(max(map(sum, counts.values())))]
    User.objects.bulk_create([User(username=name, username_key=name) for name in names], batch_size=1000)
    users = list(User.objects.order_by("pk").values_list("pk", flat=True))
    started, written, rest = time.perf_counter(), 0, reviews(books, counts, users)
    for batch in batched(rest, BATCH):
        written += Review.objects.bulk_create_reviews(batch)
    seconds = time.perf_counter() - started
    print(
        f"{written:,} reviews of {len(counts):,} books created in {seconds:.1f} s, {written / seconds:,.0f} per second"
    )
    client, wrong = APIClient(), 0
    for work, stars in counts.items():
        shown = client.get(f"/api/v1/books/{books[work]}/stats/").json()
        differing = {name: (shown[name], value) for name, value in expected(stars).items() if shown[name] != value}
        if differing:
            wrong += 1
            print(work, differing)
    print(f"{len(counts) - wrong:,} books match the file, {wrong:,} do not")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
