"""Statistics of real ratings, compared with values computed in plain Python."""

import csv
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice

import pytest

from accounts.models import User
from catalog.models import Book
from reviews.models import Review
from tests.catalog.import_tools import DEMO, run_import
from tests.reviews.helpers import counter_differences

SCALE = 4000


def star_counts(path):
    """Return the number of ratings of each work by stars, divided by `SCALE` and rounded down."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["work_id"]: [int(row[f"ratings_{n}"]) // SCALE for n in range(1, 6)] for row in csv.DictReader(file)
        }


@pytest.mark.django_db
def test_statistics_match_the_goodbooks_file(anonymous):
    run_import(DEMO)
    counts = dict(islice(star_counts(DEMO).items(), 40))
    users = [User(username=f"r{n}", username_key=f"r{n}") for n in range(max(map(sum, counts.values())))]
    User.objects.bulk_create(users)
    users = list(User.objects.order_by("pk"))
    # `bulk_create` bypasses only the counter of users.
    assert all(line.startswith("total users") for line in counter_differences("--repair")[1])
    books = {work: Book.objects.get(origin=f"goodbooks:{work}").pk for work in counts}
    for work, stars in counts.items():
        ratings = [2 * n for n, many in enumerate(stars, start=1) for _ in range(many)]
        rows = zip(users, ratings, strict=False)
        Review.objects.bulk_create_reviews(Review(book_id=books[work], author=by, rating=rating) for by, rating in rows)
    assert Review.objects.count() == sum(map(sum, counts.values())) > 5_000
    for work, stars in counts.items():
        shown = anonymous.get(f"/api/v1/books/{books[work]}/stats/").json()
        mean = Decimal(sum(n * many for n, many in enumerate(stars, start=1))) / sum(stars)
        assert shown["average_rating"] == float(mean.quantize(Decimal("0.01"), ROUND_HALF_UP))
        assert shown["ratings_count"] == sum(stars)
        halves = dict.fromkeys(("0.5", "1.5", "2.5", "3.5", "4.5"), 0)
        assert shown["histogram"] == halves | {f"{n}.0": many for n, many in enumerate(stars, start=1)}
    assert counter_differences() == (0, [])
