"""Concurrent discussions: counters and spoiler protection are right, reactions are unique, no response is a 5xx."""

import random
from functools import partial
from urllib.parse import quote

import pytest

from accounts.deletion import close_account
from catalog.models import Book
from clubs.models import Club, Entry
from discussions.models import Post, Reaction, Thread
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.conftest import PASSWORD, client_of
from tests.discussions.helpers import check_thread_counters, posts, reaction, threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_user):
    return make_user("owner")


@pytest.fixture
def club(owner):
    return Club.create_club(by=owner, name="Talkers")


@pytest.fixture
def entry(club, owner):
    return Entry.add_entry(
        club=club, book=Book.create_book(by=None, title="Emma", authors=["A"]), by=owner, status="reading"
    )


@pytest.fixture
def thread(club, owner, entry):
    return Thread.create_thread(club=club, by=owner, title="Hartfield", body="What a house.", entry=entry)


@pytest.fixture
def users(club, make_user):
    users = [make_user(f"reader{n}") for n in range(8)]
    for user in users:
        bring_in(club, user)
    return users


def test_replies_during_deletion_of_their_parent(club, thread, owner, clients):
    for _round in range(ROUNDS):
        post = Post.create_post(thread=thread, by=owner, body="Going")
        body = {"body": "@owner no", "reply_to": post.pk}
        calls = [partial(client.post, threads(club, thread, "posts/"), body) for client in clients[:6]]
        responses = at_once([*calls, *[partial(client_of(owner).delete, posts(club, post))] * 2])
        assert set(statuses(responses[:6])) <= {201, 409}
        assert statuses(responses[6:]) == {204: 1, 409: 1} or statuses(responses[6:]) == {204: 1, 403: 1}
        check_thread_counters()


def test_simultaneous_reactions_are_counted_once_each(club, thread, owner, make_user):
    users = [make_user(f"fan{n}") for n in range(20)]
    for user in users:
        bring_in(club, user)
    fans = [client_of(user) for user in users]
    for number in range(ROUNDS):
        post = Post.create_post(thread=thread, by=owner, body="Cheer", spoiler_percent=0)
        emoji = "👍🎉"[number % 2]
        responses = at_once([partial(fan.put, reaction(club, post, emoji)) for fan in fans])
        assert statuses(responses) == {204: 20}
        assert client_of(owner).get(posts(club, post)).json()["reactions"] == {emoji: 20}
        # The same user twenty times, half of them removing the reaction.
        same = [partial((fans[0].put, fans[0].delete)[n % 2], reaction(club, post, "🍪")) for n in range(20)]
        assert statuses(at_once(same)) == {204: 20}
        assert Reaction.objects.filter(post=post, key="🍪").count() <= 1


def test_replies_while_spoiler_percent_is_raised(club, thread, owner, clients):
    for _round in range(ROUNDS):
        post = Post.create_post(thread=thread, by=owner, body="Hm", spoiler_percent=0)
        body = {"body": "No", "reply_to": post.pk, "spoiler_percent": 5}
        calls = [partial(client.post, threads(club, thread, "posts/"), body) for client in clients[:6]]
        raised, *responses = at_once(
            [partial(client_of(owner).patch, posts(club, post), {"spoiler_percent": 70}), *calls]
        )
        assert raised.status_code == 200
        assert statuses(responses) == {201: 6}
        assert set(post.replies.values_list("spoiler_percent", flat=True)) == {70}
        check_thread_counters()


def test_posts_during_thread_deletion(club, owner, clients):
    for _round in range(ROUNDS):
        thread = Thread.create_thread(club=club, by=owner, title="Short", body="Now")
        post = thread.posts.get()
        calls = [partial(client.post, threads(club, thread, "posts/"), {"body": "Me"}) for client in clients[:3]]
        calls += [partial(client.put, posts(club, post, f"reactions/{quote('👍')}/")) for client in clients[3:5]]
        calls += [partial(client.put, posts(club, post, "reveal/")) for client in clients[5:7]]
        deleted, *responses = at_once([partial(client_of(owner).delete, threads(club, thread)), *calls])
        assert deleted.status_code == 204
        assert set(statuses(responses)) <= {200, 201, 204, 404}
        assert not Thread.objects.exists()
        assert not Post.objects.exists()


def test_posts_during_club_and_entry_deletion(owner, make_user):
    users = [make_user(f"last{n}") for n in range(6)]
    clients = [client_of(user) for user in users]
    book = Book.create_book(by=None, title="Emma", authors=["A"])
    for number in range(ROUNDS):
        club = Club.create_club(by=owner, name="Going")
        for user in users:
            bring_in(club, user)
        entry = Entry.add_entry(club=club, book=book, by=owner, status="reading")
        thread = Thread.create_thread(club=club, by=owner, title="T", body="B", entry=entry)
        new = {"title": "T", "body": "@owner", "entry": entry.pk}
        calls = [partial(client.post, threads(club), new) for client in clients[:3]]
        calls += [partial(client.post, threads(club, thread, "posts/"), {"body": "B"}) for client in clients[3:]]
        url = f"/api/v1/clubs/{club.pk}/" + (f"books/{entry.pk}/" if number % 2 else "")
        deleted, *responses = at_once([partial(client_of(owner).delete, url), *calls])
        assert deleted.status_code == 204
        assert set(statuses(responses)) <= {201, 400, 404}
        assert not Thread.objects.exclude(entry=None).exists()
        check_thread_counters()
        Club.objects.filter(pk=club.pk).first() and club.delete_club(by=owner)
        assert not Post.objects.exists()


def test_reading_a_thread_during_first_progress(club, entry, thread, owner, users, clients):
    Post.create_post(thread=thread, by=owner, body="She marries", spoiler_percent=50)
    url, place = threads(club, thread, "posts/"), f"/api/v1/clubs/{club.pk}/books/{entry.pk}/progress/"
    for client in clients:
        saved, *seen = at_once([partial(client.put, place, {"percent": 50}), *[partial(client.get, url)] * 5])
        assert saved.status_code == 200
        for response in seen:
            row = response.json()["results"][1]
            assert (row["locked"], row["body"]) in {(True, None), (False, "She marries")}
        assert client.get(url).json()["results"][1]["body"] == "She marries"


def test_posts_during_account_deletion(club, thread, make_user):
    for number in range(ROUNDS):
        user = make_user(f"leaver{number}")
        bring_in(club, user)
        pk, client, own = user.pk, client_of(user), Post.create_post(thread=thread, by=user, body="Me")
        calls = [partial(client.post, threads(club, thread, "posts/"), {"body": "Me too"})] * 3
        calls += [partial(client.post, threads(club), {"title": "T", "body": "B"})]
        calls += [partial(client.put, reaction(club, own, "👍")), partial(client.delete, posts(club, own))]
        mode = ("anonymise", "delete")[number % 2]
        deleted, *responses = at_once([partial(close_account, user, password=PASSWORD, reviews=mode), *calls])
        assert deleted is None
        assert set(statuses(responses)) <= {201, 204, 401, 403, 404, 409}, [response.content for response in responses]
        assert not Post.objects.filter(author=pk).exists()
        check_thread_counters()


def test_mixed_writes_keep_counters_right(club, entry, owner, clients):
    for number in range(max(1, ROUNDS // 4)):
        thread = Thread.create_thread(club=club, by=owner, title="Busy", body="Go", entry=entry)
        seeds = random.Random(number)

        def write(client, seed, thread=thread):
            rng, seen, own = random.Random(seed), set(), []
            for _ in range(25):
                what, found = rng.random(), rng.choice(own or [None])
                if what < 0.6 or found is None:
                    body = {"body": "@reader1 hm", "spoiler_percent": rng.randint(0, 100), "reply_to": found}
                    response = client.post(threads(club, thread, "posts/"), body)
                    own += [response.json()["id"]] if response.status_code == 201 else []
                elif what < 0.75:
                    response = client.patch(posts(club, found), {"spoiler_percent": rng.randint(0, 100), "body": "New"})
                elif what < 0.9:
                    response = client.put(reaction(club, found, rng.choice("👍🎉🍪")))
                else:
                    response = client.delete(posts(club, found))
                seen.add(response.status_code)
            return seen

        seen = at_once([partial(write, client, seeds.random()) for client in clients])
        assert set().union(*seen) <= {200, 201, 204, 403, 404, 409}, seen
        check_thread_counters()
