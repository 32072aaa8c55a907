"""Updating reviews: permissions, read-only fields, `edited_at` and If-Match."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from reviews.models import Review
from tests.reviews.helpers import REVIEWS, bad_fields, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def review(alice, book):
    return Review.create_review(book=book, by=alice, rating=8, title="T", body="B")


@pytest.fixture
def url(review):
    return f"{REVIEWS}{review.pk}/"


def test_update_sets_edited_at(as_alice, url):
    before = as_alice.get(url).json()
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=1), tick=False):
        after = as_alice.patch(url, {"rating": 2.5}).json()
    assert after.pop("edited_at") > before.pop("created_at")
    assert after["rating"] == 2.5
    assert (after["title"], after["body"]) == ("T", "B")


def test_update_without_changes_keeps_edited_at(as_alice, url):
    assert as_alice.patch(url, {"rating": 4, "title": "T"}).json()["edited_at"] is None
    assert as_alice.patch(url, {}).json()["edited_at"] is None


def test_put_requires_all_fields_and_keeps_the_book(as_alice, url, book, add_book):
    other = add_book("Persuasion")
    assert bad_fields(as_alice.put(url, {"rating": 3})) == {"book": "required"}
    assert bad_fields(as_alice.put(url, {"book": book.pk})) == {"rating": "required"}
    changed = as_alice.put(url, {"book": other.pk, "rating": 3, "visibility": "private"}).json()
    assert (changed["book"]["id"], changed["rating"], changed["visibility"]) == (book.pk, 3.0, "private")


def test_read_only_fields_are_ignored(as_alice, url, bob, add_book):
    before = as_alice.get(url).json()
    sent = {"id": 99, "book": add_book("Persuasion").pk, "author": bob.pk, "likes_count": 9, "created_at": None}
    assert as_alice.patch(url, sent | {"hidden_at": "2020-01-01T00:00:00Z", "liked": True}).json() == before


def test_update_cannot_remove_all_content(as_alice, url):
    as_alice.patch(url, {"title": "", "body": ""})
    assert bad_fields(as_alice.patch(url, {"rating": None})) == {"rating": "required"}
    assert as_alice.patch(url, {"rating": None, "body": "A text."}).status_code == 200
    assert bad_fields(as_alice.patch(url, {"body": ""})) == {"rating": "required"}
    assert Review.objects.get().body == "A text."


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_the_author_can_change_a_review(as_bob, anonymous, url, book, method):
    problem(getattr(as_bob, method)(url, {"book": book.pk, "rating": 1}), 403, "permission_denied")
    assert getattr(anonymous, method)(url, {}).status_code == 401
    assert Review.objects.get().rating == 8


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_private_review_looks_absent_to_others(as_alice, as_bob, url, book, method):
    as_alice.patch(url, {"visibility": "private"})
    sent = {} if method == "get" else {"book": book.pk, "rating": 1}
    hidden = getattr(as_bob, method)(url, sent, HTTP_X_REQUEST_ID="same-same")
    absent = getattr(as_bob, method)(f"{REVIEWS}99999999/", sent, HTTP_X_REQUEST_ID="same-same")
    assert (hidden.status_code, hidden.content) == (404, absent.content)


def test_review_of_a_deleted_user_cannot_be_changed(as_alice, anonymous, review, alice, url):
    Review.objects.detach_user(alice, anonymize=True)
    assert as_alice.patch(url, {"rating": 1}).status_code == 403
    assert anonymous.get(url).json()["author"] == {
        **{"id": None, "username": None, "display_name": "Deleted reader", "avatar_url": None}
    }


def test_write_with_outdated_etag_is_rejected(as_alice, as_bob, url):
    etag = as_alice.get(url)["ETag"]
    assert as_alice.patch(url, {"rating": 1}, HTTP_IF_MATCH=etag).status_code == 200
    problem(as_alice.patch(url, {"rating": 2}, HTTP_IF_MATCH=etag), 412, "precondition_failed")
    problem(as_alice.put(url, {"rating": 2, "book": 1}, HTTP_IF_MATCH=etag), 412, "precondition_failed")
    problem(as_alice.delete(url, HTTP_IF_MATCH=etag), 412, "precondition_failed")
    problem(as_bob.put(f"{url}like/", HTTP_IF_MATCH=etag), 412, "precondition_failed")
    assert as_alice.delete(url, HTTP_IF_MATCH=as_alice.get(url)["ETag"]).status_code == 204


def test_missing_review_is_404(as_alice, db):
    for pk in (99999999, 10**30):
        assert as_alice.get(f"{REVIEWS}{pk}/").status_code == 404
        assert as_alice.put(f"{REVIEWS}{pk}/like/").status_code == 404
