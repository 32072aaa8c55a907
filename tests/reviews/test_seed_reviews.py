"""`seed_demo --reviews N`."""

import pytest
from django.core.management import CommandError, call_command

from clubs.seeding.bulk import Seeder
from reviews.models import Review
from reviews.seeding import drawn

pytestmark = pytest.mark.django_db


def seeded(*sizes: str) -> list[tuple[int, str | None, int | None, str]]:
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", *sizes, "--seed", "7")
    rows = Review.objects.order_by("created_at", "id")
    return list(rows.values_list("book__title", "author__username", "rating", "visibility"))


def test_so_many_reviews_are_made_and_every_figure_is_right(capsys):
    rows = seeded("--users", "40", "--clubs", "5", "--reviews", "500")
    assert len(rows) == 500
    assert len({(title, author) for title, author, _rating, _visibility in rows}) == 500
    assert {visibility for *_others, visibility in rows} == {"public", "clubs", "private"}
    call_command("verify_figures")


def test_equal_seeds_make_equal_reviews():
    def made(seed: int) -> list[tuple[object, ...]]:
        rows = drawn(Seeder(seed), 50, [(1, "en"), (2, "pt-BR")], list(range(100)))
        return [(row.book_id, row.author_id, row.rating, row.body, row.visibility, row.created_at) for row in rows]

    assert made(7) == made(7) != made(8)


def test_more_reviews_than_readers_could_write_are_refused_and_nothing_is_made():
    with pytest.raises(CommandError, match="too few readers"):
        seeded("--users", "1", "--reviews", "5000")
    assert not Review.objects.exists()
