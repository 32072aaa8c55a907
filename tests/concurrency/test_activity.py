"""Concurrent events and notifications, and killed workers."""

import os
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from activity.choices import NotificationKind
from activity.models import Event, Notification
from activity.services import notify
from catalog.models import Book
from clubs.models import Club, Entry
from core.tasks import decorators, scheduling
from core.tasks.cleanup import clean_up
from core.tasks.models import PeriodicTask, QueuedTask
from core.tasks.worker import run_pending
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.conftest import client_of
from tests.server import TOP

pytestmark = pytest.mark.django_db(transaction=True)
NOTIFICATIONS = "/api/v1/users/me/notifications/"


def test_simultaneous_mark_read_and_list(bob: User):
    clients = [client_of(bob) for _n in range(20)]
    for n in range(ROUNDS):
        for m in range(10):
            notify(NotificationKind.SECURITY, [bob.pk], detail="x", key=f"{n} {m}")
        ids = list(Notification.objects.filter(user=bob, read_at=None).values_list("pk", flat=True))
        bodies = [{"all": True} if n % 2 else {"ids": ids[:: 1 if n % 4 else -1]} for n in range(16)]
        calls = [partial(client.post, f"{NOTIFICATIONS}read/", body) for client, body in zip(clients, bodies)]  # noqa: B905
        calls += [partial(client.get, NOTIFICATIONS) for client in clients[16:]]
        assert statuses(at_once(calls)) == {204: 16, 200: 4}
        assert not Notification.objects.filter(user=bob, read_at=None).exists()


def test_simultaneous_settings_changes_are_all_saved(bob: User):
    kinds = [kind.value for kind in NotificationKind if kind != NotificationKind.SECURITY]
    clients = [client_of(bob) for _kind in kinds]
    for n in range(ROUNDS):
        wanted = bool(n % 2)
        calls = [
            partial(client.patch, "/api/v1/users/me/notification-settings/", {kind: {"email": wanted}})
            for client, kind in zip(clients, kinds, strict=True)
        ]
        assert statuses(at_once(calls)) == {200: len(kinds)}
        settings = clients[0].get("/api/v1/users/me/notification-settings/").json()
        assert {settings[kind]["email"] for kind in kinds} == {wanted}


def test_simultaneous_likes_notify_once_each(alice: User, bob: User, moe: User):
    clients = [client_of(user) for user in (bob, moe)] * 6
    for n in range(ROUNDS):
        book = Book.create_book(by=alice, title=f"Book {n}", authors=["Anonymous"])
        review = Review.create_review(book=book, by=alice, rating=8)
        path = f"/api/v1/reviews/{review.pk}/like/"
        assert statuses(at_once([partial(client.put, path) for client in clients])) == {204: 12}
        both = at_once([partial(clients[0].delete, path), *[partial(client.put, path) for client in clients[:6]]])
        assert statuses(both) == {204: 7}
        notifications = Notification.objects.filter(user=alice, kind="review_liked", object_id=review.pk)
        assert sorted(notifications.values_list("actor", flat=True)) == sorted([bob.pk, moe.pk])
        events = Counter(Event.objects.filter(object_id=review.pk).values_list("verb", "actor"))
        for user in (bob, moe):
            likes = events["review.liked", user.pk] - events["review.unliked", user.pk]
            assert likes == review.likes.filter(user=user).count()


def test_leaving_during_club_notification_leaves_none(alice: User, bob: User, moe: User):
    for n in range(ROUNDS):
        club = Club.create_club(by=alice, name=f"Club {n}")
        bring_in(club, bob)
        bring_in(club, moe)
        book = Book.create_book(by=alice, title=f"Planned {n}", authors=["Anonymous"])
        Entry.add_entry(club=club, book=book, by=alice, status="planned")
        leave = partial(client_of(bob).post, f"/api/v1/clubs/{club.pk}/leave/")
        _count, response = at_once([run_pending, leave])
        run_pending()
        assert response.status_code == 204
        assert list(Notification.objects.filter(club=club).values_list("user", flat=True)) == [moe.pk]


def test_periodic_task_is_scheduled_once(monkeypatch):
    path = clean_up.module_path
    monkeypatch.setattr(decorators, "periodic_tasks", {path: decorators.periodic_tasks[path]})
    monkeypatch.setattr(scheduling, "periodic_tasks", decorators.periodic_tasks)
    for _round in range(ROUNDS):
        QueuedTask.objects.all().delete()
        PeriodicTask.objects.all().delete()

        def ask():
            scheduling._periods.clear()
            scheduling.enqueue_periodic()

        at_once([ask] * 12)
        assert QueuedTask.objects.filter(task_path=path).count() == 1
    scheduling._periods.clear()


# --- Killed workers -------------------------------------------------------------------------------------------------


@pytest.fixture
def worker(tmp_path):
    """Start task workers on the test database, with e-mails in files; they are killed at the end."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    env = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "EMAIL_URL": f"filemail://{tmp_path}",
        "SECRET_KEY": "for tests alone: " + "x" * 40,
    }
    started = []

    def start():
        command = [sys.executable, "-m", "tests.concurrency.email_worker"]
        started.append(subprocess.Popen(command, cwd=TOP, env=env))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until(true, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def count_emails(folder: Path) -> Counter:
    """Return the number of e-mails to each address."""
    lines = "".join(path.read_text() for path in folder.iterdir()).splitlines()
    return Counter(line.removeprefix("To: ") for line in lines if line.startswith("To: "))


def test_killed_worker_loses_no_email(make_user, worker, tmp_path):
    users = [make_user(f"r{n}", email=f"r{n}@example.org", email_verified=True) for n in range(200)]
    notify(NotificationKind.SECURITY, [user.pk for user in users], detail="x")
    kills = 0
    for least in (20, 60, 120):
        victim = worker()
        wait_until(lambda least=least: count_emails(tmp_path).total() >= least)
        victim.kill()
        victim.wait()
        kills += 1
        # Expire the lease of the killed worker.
        QueuedTask.objects.filter(status="READY").update(run_after=timezone.now())
    worker()
    wait_until(lambda: not QueuedTask.objects.filter(status="READY").exists())
    sent = count_emails(tmp_path)
    assert sent.keys() == {user.email for user in users}
    # At most one duplicate per kill: an e-mail that was sent but not yet recorded.
    assert sent.total() <= 200 + kills


def test_killed_worker_does_not_notify_twice(alice, make_user, worker, tmp_path, monkeypatch):
    club = Club.create_club(by=alice, name="Many")
    for n in range(120):
        bring_in(club, make_user(f"r{n}"))
    book = Book.create_book(by=alice, title="Planned", authors=["Anonymous"])
    Entry.add_entry(club=club, book=book, by=alice, status="planned")
    notifications = Notification.objects.filter(kind="book_planned")
    for least in (10, 50):
        victim = worker()
        wait_until(lambda least=least: notifications.count() >= least)
        victim.kill()
        victim.wait()
        QueuedTask.objects.filter(status="READY").update(run_after=timezone.now())
    worker()
    wait_until(lambda: not QueuedTask.objects.filter(status="READY").exists())
    assert set(Counter(notifications.values_list("user", flat=True)).values()) == {1}
    assert notifications.count() == 120
