"""Concurrent reviews: one per user and book, counters stay right, no response is a 5xx."""

import random
from collections import Counter
from functools import partial

import pytest
from django.http import Http404

from catalog.models import Book
from clubs.models import Club
from reviews.models import Review
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.reviews.helpers import REVIEWS, book_statistics, counter_differences, delete_account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users(make_user):
    return [make_user(f"reader{n}") for n in range(20)]


@pytest.fixture
def books(db):
    return [Book.create_book(by=None, title=f"Book {n}", authors=["A"]) for n in range(4)]


def test_simultaneous_first_reviews_create_one(clients, books, anonymous):
    for round_ in range(ROUNDS):
        body = {"book": books[0].pk, "rating": round_ % 10 / 2 + 0.5}
        answers = at_once([partial(clients[0].post, REVIEWS, body)] * 12)
        assert statuses(answers) == {201: 1, 409: 11}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_reviewed"}
        assert book_statistics(anonymous, books[0])[:2] == (body["rating"], 1)
        assert clients[0].delete(f"{REVIEWS}{Review.objects.get().pk}/").status_code == 204


def test_simultaneous_likes_are_all_counted(clients, books, users):
    review = Review.create_review(book=books[0], by=users[0], rating=8)
    url = f"{REVIEWS}{review.pk}/like/"
    for number in range(ROUNDS):
        many = at_once([partial(client.put, url) for client in clients[:10] for _ in range(2)])
        assert statuses(many) == {204: 20}
        review.refresh_from_db()
        assert review.likes_count == review.likes.count() == 10
        few = at_once([partial(client.delete, url) for client in clients[: number % 10 + 1] for _ in range(2)])
        assert statuses(few) == {204: 2 * (number % 10 + 1)}
        review.refresh_from_db()
        assert review.likes_count == review.likes.count() == 9 - number % 10


def test_simultaneous_conditional_updates_allow_one(clients, books, users):
    url = f"{REVIEWS}{Review.create_review(book=books[0], by=users[0], rating=8).pk}/"
    for number in range(ROUNDS):
        etag = clients[0].get(url)["ETag"]
        responses = at_once(
            [partial(clients[0].patch, url, {"title": f"{number}-{n}"}, HTTP_IF_MATCH=etag) for n in range(8)]
        )
        assert statuses(responses) == {200: 1, 412: 7}


def test_reviews_during_book_deletion(clients, users, client_of):
    for _round in range(ROUNDS):
        book = clients[0].post("/api/v1/books/", {"title": "Going", "author": "A"}).json()["id"]
        calls = [partial(client.post, REVIEWS, {"book": book, "rating": 4}) for client in clients[1:8]]
        deleted, *written = at_once([partial(clients[0].delete, f"/api/v1/books/{book}/"), *calls])
        assert (deleted.status_code, statuses(written)) in [(409, {201: 7}), (204, {400: 7})], written[0].content
        for review in Review.objects.all():
            review.delete_review()


class RandomWriters:
    """Users and staff who change counters in random ways."""

    def __init__(self, clients, users, books, seed):
        self.clients, self.users, self.books = clients, users, books
        self.random = random.Random(seed)

    def actions(self, count):
        """Return random actions, which choose their review when they run."""
        kinds = [self.write] * 5 + [self.edit] * 5 + [self.delete] * 3 + [self.hide, self.restore] + [self.like] * 3
        return [partial(self.random.choice(kinds), random.Random(self.random.random())) for _ in range(count)]

    def write(self, rnd):
        body = {"book": rnd.choice(self.books).pk, "rating": rnd.randint(1, 10) / 2, "visibility": self.audience(rnd)}
        return rnd.choice(self.clients).post(REVIEWS, body)

    def edit(self, rnd):
        values = {"rating": rnd.choice([None, *range(1, 6)]), "body": "Text", "visibility": self.audience(rnd)}
        return self.on_own(rnd, "patch", values)

    def delete(self, rnd):
        return self.on_own(rnd, "delete")

    def like(self, rnd):
        pk = self.pick(rnd, Review.objects.all())
        return getattr(rnd.choice(self.clients), rnd.choice(["put", "delete"]))(f"{REVIEWS}{pk}/like/")

    def hide(self, rnd):
        return self.as_staff(rnd, Review.hide)

    def restore(self, rnd):
        return self.as_staff(rnd, Review.restore)

    def on_own(self, rnd, method, *body):
        n = rnd.randrange(len(self.clients))
        pk = self.pick(rnd, Review.objects.filter(author=self.users[n]))
        return getattr(self.clients[n], method)(f"{REVIEWS}{pk}/", *body)

    def as_staff(self, rnd, act):
        review = Review.objects.filter(pk=self.pick(rnd, Review.objects.all())).first()
        try:
            if review:
                act(review)
        except Http404:
            pass  # deleted in the meantime

    def go(self, user, *, anonymize):
        """Delete an account as `DELETE users/me/` does."""
        delete_account(user, anonymize=anonymize)

    @staticmethod
    def audience(rnd):
        return rnd.choice(["public", "public", "public", "clubs", "private"])

    @staticmethod
    def pick(rnd, reviews):
        return rnd.choice([*reviews.values_list("pk", flat=True), 10**9])


@pytest.mark.parametrize("seed", range(3))
def test_mixed_writes_keep_counters_right(clients, users, books, make_user, client_of, seed):
    writers = RandomWriters(clients, users, books, seed)
    found = Counter()
    for number in range(10):
        leaving = [make_user(f"reviews_on_deletion{number}-{n}") for n in range(2)]
        club = Club.create_club(by=leaving[0], name="Going")
        club.join(leaving[1])
        for user in leaving:
            Review.create_review(book=books[0], by=user, rating=number % 10 + 1)
            for review in Review.objects.exclude(author=user)[:3]:
                review.like(by=user)
        deletions = [partial(writers.go, user, anonymize=bool(n)) for n, user in enumerate(leaving)]
        theirs = [partial(client_of(user).post, REVIEWS, {"book": books[1].pk, "rating": 5}) for user in leaving]
        responses = at_once([*deletions, *theirs, *writers.actions(18)])
        found += statuses([response for response in responses if response is not None])
    assert {200, 201, 204} <= found.keys() <= {200, 201, 204, 401, 404, 409}, found
    assert counter_differences() == (0, [])


def test_verify_counters_during_writes_finds_nothing(clients, users, books):
    """Counters are rechecked under their lock, so that a write in progress is not reported as an error."""
    writers = RandomWriters(clients, users, books, 7)
    for _round in range(8):
        found = at_once(
            [
                partial(counter_differences, "--batch-size", "2"),
                partial(counter_differences, "--repair"),
                *writers.actions(18),
            ]
        )
        assert found[:2] == [(0, []), (0, [])]
