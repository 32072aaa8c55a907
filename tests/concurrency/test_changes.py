"""Changes that are committed in another order than they were made: an app misses none of them."""

import threading
from contextlib import contextmanager
from random import Random

import pytest
from django.db import connection, transaction

from activity.changes.models import Change
from activity.choices import NotificationKind
from activity.models import Notification
from activity.services import notify
from clubs.models import Club
from discussions.models import Post, Thread
from tests.clubs.changes import changed, names, read_all
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS
from tests.conftest import client_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_user):
    return make_user("owner")


@pytest.fixture
def clubs(owner):
    return [Club.create_club(by=owner, name=name) for name in ("Slow", "Fast")]


@pytest.fixture
def reader(make_user, clubs):
    user = make_user("reader")
    for club in clubs:
        bring_in(club, user)
    return user


@pytest.fixture
def threads(owner, clubs):
    return [Thread.create_thread(club=club, by=owner, title="T", body="B") for club in clubs]


@contextmanager
def uncommitted(write):
    """Run `write` in a transaction of another thread that is open during the block and then committed."""
    written, finish, errors = threading.Event(), threading.Event(), []

    def run():
        try:
            with transaction.atomic():
                write()
                written.set()
                assert finish.wait(60)
        except Exception as error:
            errors.append(error)
        finally:
            written.set()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert written.wait(60)
    try:
        yield
    finally:
        finish.set()
        thread.join(60)
    assert not errors


def post_in(thread, by, body="Me"):
    return Post.create_post(thread=Thread.objects.select_related("club").get(pk=thread.pk), by=by, body=body)


def test_change_committed_late_is_not_lost(owner, reader, threads):
    client, slow, fast = client_of(reader), *threads
    cursor = read_all(client)[1]
    with uncommitted(lambda: post_in(slow, owner)):
        later = post_in(fast, owner)
        rows, cursor = read_all(client, cursor)
        assert [row["id"] for row in rows] == [later.pk]
        assert changed(client, cursor) == []
    earlier = slow.posts.latest("pk")
    posts = Change.objects.filter(type="post")
    assert posts.get(object_id=earlier.pk).pk < posts.get(object_id=later.pk).pk
    rows, cursor = read_all(client, cursor)
    assert ("post", earlier.pk) in {(row["type"], row["id"]) for row in rows}
    assert changed(client, cursor) == []


def test_late_change_of_a_quiet_club_repeats_nothing_afterwards(owner, reader, threads):
    client, slow, fast = client_of(reader), *threads
    cursor = read_all(client)[1]
    with uncommitted(lambda: post_in(slow, owner)):
        post_in(fast, owner)
        cursor = read_all(client, cursor)[1]
    cursor = read_all(client, cursor)[1]
    new = post_in(fast, owner)
    assert changed(client, cursor) == [("post", new.pk, False)]


def test_late_deletion_during_the_first_reading_is_not_lost(owner, reader, threads):
    client, slow, fast = client_of(reader), *threads
    post_in(fast, owner)
    with uncommitted(lambda: Thread.objects.select_related("club").get(pk=slow.pk).delete_thread(by=owner)):
        post_in(fast, owner)
        first = client.get("/api/v1/users/me/changes/", {"page_size": 4}).json()
        assert ("thread", slow.pk) in {(row["type"], row["id"]) for row in first["results"]}
    rows, cursor = read_all(client, first["cursor"], page_size=1)
    assert ("thread", slow.pk, True) in {*names(rows), *changed(client, cursor)}


def test_club_joined_late_comes_with_its_backlog(owner, make_user, threads):
    user = make_user("newcomer")
    client, slow, fast = client_of(user), *threads
    bring_in(fast.club, user)
    cursor = read_all(client)[1]
    with uncommitted(lambda: bring_in(Club.objects.get(pk=slow.club_id), user)):
        post_in(fast, owner)
        cursor = read_all(client, cursor)[1]
    rows, cursor = read_all(client, cursor)
    assert {("club", slow.club_id), ("thread", slow.pk)} <= {(row["type"], row["id"]) for row in rows}
    assert changed(client, cursor) == []


def test_notification_committed_late_is_not_lost(reader, clubs):
    client = client_of(reader)
    cursor = read_all(client)[1]

    def send():
        notify(NotificationKind.SECURITY, [reader.pk], detail="late")

    with uncommitted(send):
        notify(NotificationKind.SECURITY, [reader.pk], detail="early")
        rows, cursor = read_all(client, cursor)
        assert len(rows) == 1
    rows += read_all(client, cursor)[0]
    found = {row["id"] for row in rows if row["type"] == "notification"}
    assert found == set(Notification.objects.filter(user=reader).values_list("pk", flat=True))


def test_readers_beside_writers_get_everything(owner, reader, threads):
    """Writers commit at random moments, while an app reads all the time."""
    client, found, writing = client_of(reader), set(), threading.Event()
    errors = []

    def write(thread, seed):
        random = Random(seed)
        try:
            for n in range(ROUNDS * 2):
                with transaction.atomic():
                    post_in(thread, owner, f"{seed} {n}")
                    threading.Event().wait(random.random() / 100)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(thread, n)) for n, thread in enumerate(threads * 2)]
    rows, cursor = read_all(client)
    for writer in writers:
        writer.start()
    while not writing.is_set():
        if not any(writer.is_alive() for writer in writers):
            writing.set()
        found |= {row["id"] for row in rows if row["type"] == "post"}
        rows, cursor = read_all(client, cursor, page_size=5)
    found |= {row["id"] for row in rows if row["type"] == "post"}
    assert not errors
    assert found == set(Post.objects.values_list("pk", flat=True))
    assert changed(client, cursor) == []
