"""Everything that changes counters at once, on one database through all rounds."""

import random
from collections import Counter
from functools import partial
from itertools import chain

import pytest
from django.http import Http404

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from reviews.models import Review
from tests.clubs.helpers import CLUBS
from tests.concurrency.tools import ROUNDS, at_once
from tests.conftest import PASSWORD, client_of
from tests.reviews.helpers import REVIEWS, counter_differences

pytestmark = pytest.mark.django_db(transaction=True)

BOOKS = "/api/v1/books/"


class RandomLoad:
    """Users who perform random actions, chosen when they run."""

    def __init__(self, make_user, seed):
        self.make_user, self.chance = make_user, random.Random(seed)
        self.clients = {make_user(f"reader{n}"): None for n in range(6)}
        self.clients = {user: client_of(user) for user in self.clients}
        users = list(self.clients)
        self.books = [Book.create_book(by=users[0], title=f"Book {n}", authors=["A"], page_count=300) for n in range(5)]
        self.home = Club.create_club(by=make_user("host"), name="Home")  # never deleted
        for club in [self.home, *(Club.create_club(by=users[n], name=f"Club {n}") for n in range(3))]:
            for book in self.books[:3]:
                Entry.add_entry(club=club, book=book, by=club.owner, status="reading")
        for user in users:
            self.home.join(user)

    def actions(self, count):
        """Return random actions, with an account deletion among them."""
        leaver = self.make_user(f"leaver{self.chance.randrange(10**9)}")
        self.home.join(leaver)
        Review.create_review(book=self.books[0], by=leaver, rating=3).like(by=leaver)
        client = client_of(leaver)
        leaving = {"password": PASSWORD, "reviews": self.chance.choice(["anonymise", "delete"])}
        theirs = [partial(client.post, REVIEWS, {"book": self.books[1].pk, "rating": 5})]
        theirs += [partial(client.delete, "/api/v1/users/me/", leaving)]
        return theirs + [partial(self.act, self.chance.randrange(10**9)) for _ in range(count)]

    def act(self, seed):
        """Perform two random actions."""
        rng = random.Random(seed)
        user = rng.choice(list(self.clients))
        kinds = rng.choices(list(ACTIONS), [weight for weight, _action in ACTIONS.values()], k=2)
        return [(kind, ACTIONS[kind][1](self, rng, user, self.clients[user])) for kind in kinds]

    def entry(self, rng, **which):
        """Return the URL of a random entry."""
        found = list(Entry.objects.filter(**which).values_list("pk", "club"))
        pk, club = rng.choice(found or [(10**9, 10**9)])
        return f"{CLUBS}{club}/books/{pk}/"

    def review(self, rng, **which):
        """Return the id of a random review, or an unknown id."""
        return rng.choice([*Review.objects.filter(**which).values_list("pk", flat=True), 10**9])

    def club(self, rng, **which):
        """Return the URL of a random club, or of an unknown one."""
        return f"{CLUBS}{rng.choice([*Club.objects.filter(**which).values_list('pk', flat=True), 10**9])}/"

    def mark(self, rng, user, client):
        body = rng.choice([{"percent": rng.randint(0, 100)}, {"page": rng.randint(0, 90), "page_count": 90}])
        return client.put(
            f"{self.entry(rng, club__memberships__user=user)}progress/", {**body, "hidden": rng.random() < 0.3}
        )

    def rate(self, rng, user, client):
        body = {"rating": rng.randint(1, 10) / 2, "visibility": rng.choice(["public", "public", "clubs"])}
        return client.post(REVIEWS, {"book": rng.choice(self.books).pk, **body})

    def edit(self, rng, user, client):
        body = {"rating": rng.randint(1, 10) / 2, "visibility": rng.choice(["public", "clubs", "private"])}
        return client.patch(f"{REVIEWS}{self.review(rng, author=user)}/", body)

    def unrate(self, rng, user, client):
        return client.delete(f"{REVIEWS}{self.review(rng, author=user)}/")

    def like(self, rng, user, client):
        return getattr(client, rng.choice(["put", "delete"]))(f"{REVIEWS}{self.review(rng)}/like/")

    def judge(self, rng, user, client):
        review = Review.objects.filter(pk=self.review(rng)).first()
        try:
            if review:
                rng.choice([Review.hide, Review.restore])(review)
        except Http404:
            pass  # deleted in the meantime

    def join(self, rng, user, client):
        return client.post(f"{self.club(rng)}{rng.choice(['join', 'join', 'leave'])}/")

    def listing(self, rng, user, client):
        body = {"book": rng.choice(self.books).pk, "status": rng.choice(["reading", "finished"])}
        return client.post(f"{self.club(rng, owner=user)}books/", body)

    def arrange(self, rng, user, client):
        change = {"position": 1} if rng.random() < 0.4 else {"status": rng.choice(["reading", "finished"])}
        owner = self.owner_of(place := self.entry(rng))
        return (client_of(owner) if owner else client).patch(place, change)

    def unlist(self, rng, user, client):
        owner = self.owner_of(place := self.entry(rng))
        return (client_of(owner) if owner else client).delete(place)

    def remove(self, rng, user, client):
        member = rng.choice(list(self.clients))
        where = f"{self.club(rng, owner=user)}members/{member.pk}/"
        return client.delete(where) if rng.random() < 0.7 else client.patch(where, {"status": "banned"})

    def turn(self, rng, user, client):
        return client.patch(self.club(rng, owner=user), {"visibility": rng.choice(["public", "private"])})

    def found(self, rng, user, client):
        return client.post(CLUBS, {"name": "Another"})

    def dissolve(self, rng, user, client):
        return client.delete(self.club(rng, owner=user))

    def book(self, rng, user, client):
        added = client.post(BOOKS, {"title": "Passing", "author": "A"})
        return client.delete(f"{BOOKS}{added.json()['id']}/")

    @staticmethod
    def owner_of(place):
        return User.objects.filter(owned_clubs=place.split("/")[4]).first()


# Weight and action.
ACTIONS = {
    "mark": (6, RandomLoad.mark),
    "rate": (5, RandomLoad.rate),
    "edit": (4, RandomLoad.edit),
    "unrate": (2, RandomLoad.unrate),
    "like": (3, RandomLoad.like),
    "judge": (2, RandomLoad.judge),
    "join": (5, RandomLoad.join),
    "listing": (3, RandomLoad.listing),
    "arrange": (3, RandomLoad.arrange),
    "unlist": (1, RandomLoad.unlist),
    "remove": (1, RandomLoad.remove),
    "turn": (2, RandomLoad.turn),
    "found": (1, RandomLoad.found),
    "dissolve": (1, RandomLoad.dissolve),
    "book": (1, RandomLoad.book),
}


@pytest.mark.parametrize("seed", range(2))
def test_mixed_load_keeps_counters_right(make_user, seed):
    load, counts = RandomLoad(make_user, seed), Counter()
    for _round in range(ROUNDS):
        answers = at_once(load.actions(14))
        for kind, answer in [("go", answer) for answer in answers[:2]] + list(chain(*answers[2:])):
            if answer is not None:
                assert answer.status_code < 500, (kind, answer.content)
                counts[kind, answer.status_code < 300] += 1
        assert counter_differences() == (0, [])
    print(sorted(counts.items()))  # noqa: T201
    # The most frequent actions have succeeded at least once.
    assert {kind for kind, done in counts if done} >= {"mark", "rate", "go"}
