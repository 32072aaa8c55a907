"""Statistics and cached responses under concurrent writes: never stale, even if Redis fails."""

import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from functools import partial

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.test import override_settings
from rest_framework.test import APIClient

from catalog.models import Book
from catalog.views import BookViewSet
from clubs.models import Club, Entry, Progress
from clubs.reading.choices import ReadingPosition, Unit
from core import redis
from core.api import response_cache
from core.counters import counters
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db(transaction=True)

BOOKS, REVIEWS, STATS = "/api/v1/books/", "/api/v1/reviews/", "/api/v1/stats/"


@pytest.fixture
def books(db):
    return [Book.create_book(by=None, title=f"Book {n}", authors=["A"], page_count=300) for n in range(4)]


@pytest.fixture
def users(make_user):
    return [make_user(f"reader{n}") for n in range(8)]


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def test_one_request_builds_the_cached_response(books, monkeypatch):
    made, asked = [], threading.Barrier(6)
    read, listing = counters.get_values, BookViewSet.list

    def together(names):
        found = read(names)
        asked.wait(10)
        return found

    def count(self, *args, **kwargs):
        made.append(1)
        time.sleep(0.2)
        return listing(self, *args, **kwargs)

    monkeypatch.setattr(counters, "get_values", together)
    monkeypatch.setattr(BookViewSet, "list", count)
    monkeypatch.setattr(response_cache, "REBUILD_WAIT_SECONDS", 10)
    answers = at_once([partial(APIClient().get, BOOKS) for _ in range(6)])
    assert len({answer.content for answer in answers}) == 1
    assert made == [1]


def test_simultaneous_first_counter_changes_lose_none(db, monkeypatch):
    monkeypatch.setattr(counters, "version_step", lambda: 1)  # else random, and its sum could not be checked
    for _round in range(ROUNDS):
        at_once([partial(counters.increment, {"new": 1, f"new {n % 3}": 1}) for n in range(12)])
    assert counters.get_values(["new", "new 0", "new 1", "new 2", counters.TOTALS_VERSION]) == {
        "new": 12 * ROUNDS,
        **{f"new {n}": 4 * ROUNDS for n in range(3)},
        counters.TOTALS_VERSION: 12 * ROUNDS,
    }


def test_no_response_after_a_write_is_stale(books, users, client_of):
    """After each write an anonymous client of the writer reads the new state, while others read all the time."""
    book, over, stale = books[0], threading.Event(), []
    clients = [client_of(user) for user in users[:4]]
    own = f"{BOOKS}{book.pk}/"
    done, lock = [], threading.Lock()

    def write(client):
        anonymous = APIClient()
        for _ in range(5 * ROUNDS // 2):
            answer = client.post(REVIEWS, {"book": book.pk, "rating": 4})
            if answer.status_code != 201:
                stale.append(answer.content)
                return
            place = f"{REVIEWS}{answer.json()['id']}/"
            for where, count in ((f"{own}stats/", "ratings_count"), (own, "ratings_count"), (STATS, "reviews")):
                found = anonymous.get(where).json()[count]
                if found < 1:
                    stale.append((where, found))
            shown = [row["id"] for row in anonymous.get(f"{own}reviews/").json()["results"]]
            if answer.json()["id"] not in shown:
                stale.append(("reviews", shown))
            body = client.patch(place, {"body": "Hm."}).json()["body"]
            rows = anonymous.get(f"{own}reviews/").json()["results"]
            if [row["body"] for row in rows if row["id"] == answer.json()["id"]] != [body]:
                stale.append(("body", rows))
            client.delete(place)
            shown = [row["id"] for row in anonymous.get(f"{own}reviews/").json()["results"]]
            if answer.json()["id"] in shown:
                stale.append(("deleted", shown))

    def ask():
        anonymous, places = APIClient(), [BOOKS, own, f"{own}stats/", f"{own}reviews/", STATS]
        while not over.is_set():
            anonymous.get(random.choice(places))

    def write_all(client):
        try:
            write(client)
        finally:
            with lock:
                done.append(client)
                if len(done) == len(clients):
                    over.set()

    at_once([*(partial(write_all, client) for client in clients), ask, ask, ask])
    assert stale == []
    answer = APIClient().get(f"{own}stats/").json()
    assert (answer["ratings_count"], APIClient().get(STATS).json()["reviews"]) == (0, 0)
    assert counter_differences() == (0, [])


def test_statistics_are_exact_after_each_write(books, users, client_of):
    """After each of several writes in a row the statistics are exact, while others read."""
    book, over, wrong = books[0], threading.Event(), []
    client, anonymous = client_of(users[0]), APIClient()
    place = f"{BOOKS}{book.pk}/stats/"

    def ask():
        anonymous = APIClient()
        while not over.is_set():
            anonymous.get(place)
            anonymous.get(STATS)

    def write():
        pk = client.post(REVIEWS, {"book": book.pk, "rating": 0.5}).json()["id"]
        for n in range(10 * ROUNDS):
            rating = (n % 10 + 1) / 2
            assert client.patch(f"{REVIEWS}{pk}/", {"rating": rating}).status_code == 200
            found = anonymous.get(place).json()["average_rating"], anonymous.get(STATS).json()["mean_rating"]
            if found != (rating, rating):
                wrong.append((rating, found))
        over.set()

    at_once([write, ask, ask, ask])
    assert wrong == []


def test_mixed_writes_keep_club_counters_right(books, users, client_of, make_user):
    owner = make_user("owner")
    clubs = [Club.create_club(by=owner, name=f"Club {n}") for n in range(3)]
    for club in clubs:
        for book in books[:3]:
            Entry.add_entry(club=club, book=book, by=owner, status="reading")
    as_owner, clients = client_of(owner), {user: client_of(user) for user in users}
    for round_ in range(ROUNDS):
        chance = random.Random(round_)
        calls = [partial(act, chance.randrange(10**9), clients[user], user, clubs, books) for user in users]
        calls.append(partial(arrange, chance.randrange(10**9), as_owner, clubs, books))
        answers = at_once(calls)
        assert set(statuses(answers)) <= {200, 201, 202, 204, 400, 403, 404, 409}, statuses(answers)
        assert counter_differences() == (0, [])


def act(seed, client, user, clubs, books):
    """Perform a random action of a user."""
    chance = random.Random(seed)
    club, book = chance.choice(clubs), chance.choice(books[:3])
    review = Review.objects.filter(author=user, book=book).first()
    entry = Entry.objects.filter(club=club).order_by("?").first()
    action = chance.choice(["join", "leave", "mark", "mark", "review", "review", "review"])
    if action in ("join", "leave"):
        return client.post(f"/api/v1/clubs/{club.pk}/{action}/")
    if action == "mark" and entry:
        body = chance.choice([{"percent": chance.randint(0, 100)}, {"page": chance.randint(0, 90), "page_count": 90}])
        body["hidden"] = chance.random() < 0.2
        return client.put(f"/api/v1/clubs/{club.pk}/books/{entry.pk}/progress/", body)
    if review is None:
        return client.post(REVIEWS, {"book": book.pk, "rating": chance.randint(1, 10) / 2})
    if chance.random() < 0.3:
        return client.delete(f"{REVIEWS}{review.pk}/")
    change = {"rating": chance.randint(1, 10) / 2, "visibility": chance.choice(["public", "public", "clubs"])}
    return client.patch(f"{REVIEWS}{review.pk}/", change)


def arrange(seed, client, clubs, books):
    """Perform a random action of a club's owner."""
    chance = random.Random(seed)
    club = chance.choice(clubs)
    entry = Entry.objects.filter(club=club).order_by("?").first()
    member = club.memberships.active().exclude(user=club.owner).order_by("?").first()
    action = chance.choice(["list", "unlist", "move", "finish", "remove", "visibility"])
    if action == "list" or entry is None:
        return client.post(f"/api/v1/clubs/{club.pk}/books/", {"book": chance.choice(books).pk, "status": "reading"})
    if action == "unlist":
        return client.delete(f"/api/v1/clubs/{club.pk}/books/{entry.pk}/")
    if action == "remove" and member:
        return client.delete(f"/api/v1/clubs/{club.pk}/members/{member.user_id}/")
    if action == "visibility":
        return client.patch(f"/api/v1/clubs/{club.pk}/", {"visibility": chance.choice(["public", "private"])})
    change = {"position": 1} if action == "move" else {"status": chance.choice(["reading", "finished"])}
    return client.patch(f"/api/v1/clubs/{club.pk}/books/{entry.pk}/", change)


def test_simultaneous_first_progress_of_many_members(books, users, client_of, make_user):
    owner = make_user("owner")
    club = Club.create_club(by=owner, name="Busy")
    for user in users:
        bring_in(club, user)
    clients = [client_of(user) for user in users]
    for _round in range(ROUNDS):
        for entry in Entry.objects.all():
            entry.delete_entry(by=owner)
        entry = Entry.add_entry(club=club, book=books[0], by=owner, status="reading")
        place = f"/api/v1/clubs/{club.pk}/books/{entry.pk}/progress/"
        assert statuses(at_once([partial(client.put, place, {"percent": 25}) for client in clients])) == {200: 8}
        entry.refresh_from_db()
        assert entry.percents == 200


def test_verify_counters_during_writes_finds_nothing(books, users, client_of, make_user):
    club = Club.create_club(by=make_user("owner"), name="Busy")
    entry = Entry.add_entry(club=club, book=books[0], by=club.owner, status="reading")
    for user in users:
        bring_in(club, user)
    over, errors = threading.Event(), []

    def write(user):
        for n in range(30):
            review = Review.create_review(book=books[0], by=user, rating=n % 10 + 1)
            Progress.set_progress(entry=entry, by=user, position=ReadingPosition(Unit.PERCENT, n))
            review.delete_review()
        over.set()

    def verify():
        while not over.is_set():
            errors.extend(counter_differences()[1])

    at_once([*(partial(write, user) for user in users[:4]), verify])
    assert errors == []
    assert counter_differences() == (0, [])


# --- Failures of Redis ----------------------------------------------------------------------------------------------


@pytest.fixture
def own_redis(tmp_path, monkeypatch):
    """A Redis server of this test that can be stopped, started and suspended, used as the cache."""
    if not shutil.which("redis-server") or not settings.REDIS_URL:
        pytest.skip("requires Redis")
    server = OwnRedis(tmp_path)
    server.start()
    options = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{server.port}/0"}
    monkeypatch.setattr(redis.breaker, "seconds", 0.5)
    with override_settings(CACHES={"default": options}):
        yield server
        caches.close_all()
    server.end()


class OwnRedis:
    """A redis-server on a free port."""

    def __init__(self, home):
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self):
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.home)]
        self.process = subprocess.Popen([*command, "--appendonly", "yes"], stdout=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def end(self):
        self.signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(10)


def test_redis_failures_are_not_visible_to_clients(own_redis, books, users, client_of):
    """Redis is suspended, stopped and restarted during the run; responses cached before must not be served again."""
    book, client, anonymous = books[0], client_of(users[0]), APIClient()
    place = f"{BOOKS}{book.pk}/stats/"
    pk = client.post(REVIEWS, {"book": book.pk, "rating": 0.5}).json()["id"]
    slowest, hits = 0.0, 0

    def write_and_read(rounds):
        nonlocal slowest, hits
        for n in range(rounds):
            rating = (n % 10 + 1) / 2
            answers = [client.patch(f"{REVIEWS}{pk}/", {"rating": rating})]
            for where, name in ((place, "average_rating"), (STATS, "mean_rating"), (place, "average_rating")):
                began = time.perf_counter()
                answers.append(anonymous.get(where))
                slowest = max(slowest, time.perf_counter() - began)
                assert answers[-1].json()[name] == rating
            hits += answers[-1].headers.get("X-Cache") == "hit"
            assert statuses(answers) == {200: 4}

    with override_settings(DEBUG=True):
        write_and_read(10)
        assert hits == 10
        own_redis.signal(signal.SIGSTOP)
        write_and_read(20)
        own_redis.signal(signal.SIGCONT)
        time.sleep(0.6)
        hits = 0
        write_and_read(10)
        assert hits == 10
        own_redis.end()
        write_and_read(20)
        own_redis.start()  # with the data on disk
        time.sleep(0.6)
        hits = 0
        write_and_read(10)
        assert hits == 10
    print(f"slowest read: {slowest:.3f} s")  # noqa: T201
    assert slowest < 4  # half a second, plus a margin for a busy machine
    connections.close_all()


def test_ratings_shared_with_clubs_survive_visibility_changes(books, users, make_club, client_of, alice):
    club = make_club("Changing", alone=True)
    for book in books:
        Entry.add_entry(club=club, book=book, by=alice)
    for user in users:
        bring_in(club, user)
    owner, clients = client_of(alice), [client_of(user) for user in users[:4]]
    path = f"/api/v1/clubs/{club.pk}/"
    for number in range(ROUNDS):
        visibility = ("private", "public")[number % 2]
        rate = [
            partial(client.post, REVIEWS, {"book": books[0].pk, "rating": 4, "visibility": "clubs"})
            for client in clients
        ]
        change, *rated = at_once([partial(owner.patch, path, {"visibility": visibility}), *rate])
        assert (change.status_code, statuses(rated)) == (200, {201: 4})
        assert counter_differences() == (0, [])
        for review in Review.objects.all():
            review.delete_review()
