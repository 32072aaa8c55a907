"""`manage.py seed_demo --reviews`."""

import pytest
from django.core.management import CommandError, call_command

from demo.bulk import Seeder
from demo.bulk_reviews import generate_reviews
from reviews.models import Review

pytestmark = pytest.mark.django_db


def seed(*sizes: str) -> list[tuple[int, str | None, int | None, str]]:
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", *sizes, "--seed", "7")
    rows = Review.objects.order_by("created_at", "id")
    return list(rows.values_list("book__title", "author__username", "rating", "visibility"))


def test_seed_creates_reviews_with_correct_counters(capsys):
    rows = seed("--users", "40", "--clubs", "5", "--reviews", "500")
    assert len(rows) == 500
    assert len({(title, author) for title, author, _rating, _visibility in rows}) == 500
    assert {visibility for *_others, visibility in rows} == {"public", "clubs", "private"}
    call_command("verify_counters")


def test_equal_seeds_create_equal_reviews():
    def draw(seed: int) -> list[tuple[object, ...]]:
        rows = generate_reviews(Seeder(seed), 50, [(1, "en"), (2, "pt-BR")], list(range(100)))
        return [(row.book_id, row.author_id, row.rating, row.body, row.visibility, row.created_at) for row in rows]

    assert draw(7) == draw(7) != draw(8)


def test_too_many_reviews_are_rejected_and_none_created():
    with pytest.raises(CommandError, match="Not enough users or books"):
        seed("--users", "1", "--reviews", "5000")
    assert not Review.objects.exists()
