"""Blocks hide reviews in lists and details and prevent likes; statistics do not change."""

import pytest

from accounts.blocks import Block
from reviews.models import Review
from tests.clubs.helpers import problem
from tests.reviews.helpers import REVIEWS, book_statistics, ids

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("reversed_block", [False, True])
@pytest.mark.parametrize("visibility", ["public", "clubs"])
def test_reviews_are_hidden_across_a_block(
    club, alice, bob, book, as_alice, as_bob, as_charlie, visibility, reversed_block
):
    review = Review.create_review(book=book, by=alice, rating=8, visibility=visibility)
    own = Review.create_review(book=book, by=bob, rating=6)
    before = book_statistics(as_charlie, book)
    Block.objects.block(on=alice, by=bob) if reversed_block else Block.objects.block(on=bob, by=alice)
    for url in (REVIEWS, f"{REVIEWS}?user={alice.pk}", f"/api/v1/books/{book.pk}/reviews/"):
        assert review.pk not in ids(as_bob.get(url))
    assert ids(as_bob.get(REVIEWS)) == [own.pk]
    assert ids(as_alice.get(REVIEWS)) == [review.pk]
    for method, suffix in (("get", ""), ("put", "like/"), ("delete", "like/")):
        problem(getattr(as_bob, method)(f"{REVIEWS}{review.pk}/{suffix}"), 404, "not_found")
    assert book_statistics(as_bob, book) == book_statistics(as_charlie, book) == before
    if visibility == "public":
        assert review.pk in ids(as_charlie.get(REVIEWS))


def test_review_of_a_deleted_user_stays_visible(alice, bob, charlie, book, as_bob):
    Block.objects.block(on=charlie, by=bob)
    review = Review.create_review(book=book, by=alice, rating=8)
    Review.objects.detach_user(alice, anonymize=True)
    assert ids(as_bob.get(REVIEWS)) == [review.pk]
