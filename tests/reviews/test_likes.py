"""Likes of reviews, and their counter."""

import pytest

from reviews.models import Like, Review
from tests.reviews.helpers import REVIEWS

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(alice, book):
    return f"{REVIEWS}{Review.create_review(book=book, by=alice, rating=8).pk}/"


def likes(client, url):
    body = client.get(url).json()
    return body["likes_count"], body["liked"]


def test_like_is_idempotent(as_bob, as_charlie, anonymous, url):
    for _ in range(2):
        assert as_bob.put(f"{url}like/").status_code == 204
        assert likes(as_bob, url) == (1, True)
    assert likes(as_charlie, url) == likes(anonymous, url) == (1, False)
    as_charlie.put(f"{url}like/")
    for _ in range(2):
        assert as_bob.delete(f"{url}like/").status_code == 204
        assert likes(as_bob, url) == (1, False)
    assert likes(as_charlie, url) == (1, True)


def test_like_does_not_change_edited_at(as_alice, as_bob, url):
    as_bob.put(f"{url}like/")
    assert as_alice.get(url).json()["edited_at"] is None
    assert as_alice.patch(url, {"rating": 1}).json()["likes_count"] == 1


def test_like_requires_authentication(anonymous, url):
    assert anonymous.put(f"{url}like/").status_code == 401
    assert anonymous.delete(f"{url}like/").status_code == 401
    assert anonymous.get(f"{url}like/").status_code in (401, 405)


def test_review_deletion_deletes_likes(as_alice, as_bob, url):
    as_bob.put(f"{url}like/")
    assert as_alice.delete(url).status_code == 204
    assert not Like.objects.exists()


def test_account_deletion_deletes_likes(as_alice, as_bob, bob, url):
    as_bob.put(f"{url}like/")
    as_alice.put(f"{url}like/")
    Review.objects.detach_user(bob, anonymize=True)
    assert likes(as_alice, url) == (1, True)
