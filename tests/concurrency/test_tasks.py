"""Several workers run each task once, also if one is killed in the middle."""

import datetime
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks import TaskResultStatus

from accounts.models import User
from core.models import IdempotencyRecord
from core.tasks.decorators import task
from core.tasks.models import QueuedTask
from core.tasks.worker import run, run_pending
from tests.concurrency import slow_tasks
from tests.concurrency.slow_tasks import slow
from tests.concurrency.tools import at_once
from tests.server import TOP

pytestmark = pytest.mark.django_db(transaction=True)

READY, SUCCESSFUL = TaskResultStatus.READY, TaskResultStatus.SUCCESSFUL
calls: Counter[int] = Counter()


@task()
def count_atomic(*, n: int) -> None:
    calls[n] += 1


@task(atomic=False)
def count(*, n: int) -> None:
    calls[n] += 1


@task(unique=True)
def count_unique(*, n: int) -> None:
    calls[n] += 1


@task()
def write_slowly(*, user: int) -> None:
    IdempotencyRecord.objects.create(user_id=user, key=f"write {time.monotonic_ns()}", request_digest="")
    time.sleep(0.2)


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@pytest.fixture
def worker_process() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start worker processes on the test's database; kill them at the end."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    started = []

    def start(lease: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.concurrency.task_worker", str(lease)]
        started.append(subprocess.Popen(command, cwd=TOP, env=env))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], Any], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("counting", [count_atomic, count])
def test_100_tasks_run_once_each_on_4_workers(counting):
    for n in range(100):
        counting.enqueue(n=n)
    started = at_once([run_pending] * 4)
    assert sum(started) == 100
    assert calls == Counter(range(100))
    assert set(QueuedTask.objects.values_list("status", "attempts", "error")) == {(SUCCESSFUL, 1, "")}


def test_unique_task_enqueued_12_times_at_once_runs_once():
    for n in range(5):
        enqueues = [lambda n=n: count_unique.enqueue(n=n)] * 12
        assert len({result.id for result in at_once(enqueues)}) == 1
        at_once([run_pending] * 4)
        assert calls[n] == 1
    assert QueuedTask.objects.count() == 5


def test_killed_worker_loses_no_task_and_leaves_no_partial_write(alice: User, worker_process, monkeypatch):
    monkeypatch.setattr(slow_tasks, "HANG_SECONDS", 0)
    slow.enqueue(user=alice.pk, n=0)
    victim = worker_process(lease=2)
    wait_until(lambda: QueuedTask.objects.filter(attempts=1).exists())
    time.sleep(0.5)
    victim.kill()
    victim.wait()
    assert not IdempotencyRecord.objects.exists()  # the transaction was rolled back
    assert run_pending() == 0  # the lease has not ended
    wait_until(run_pending)
    row = QueuedTask.objects.get()
    assert (row.status, row.attempts) == (SUCCESSFUL, 2)


def test_repeatedly_killed_workers_run_each_task_once(alice: User, worker_process):
    for n in range(1, 101):
        slow.enqueue(user=alice.pk, n=n)
    for _round in range(4):
        before = QueuedTask.objects.filter(status=SUCCESSFUL).count()
        victims = [worker_process(lease=1), worker_process(lease=1)]
        wait_until(lambda before=before: QueuedTask.objects.filter(status=SUCCESSFUL).count() >= min(before + 8, 95))
        for victim in victims:
            victim.kill()
            victim.wait()
    worker_process(lease=5)
    wait_until(lambda: not QueuedTask.objects.filter(status=READY).exists())
    # The unique key would have refused a second write, and the task would show the error.
    assert set(QueuedTask.objects.values_list("status", "error")) == {(SUCCESSFUL, "")}
    assert IdempotencyRecord.objects.filter(key__startswith="slow").count() == 100


def test_slow_worker_and_its_successor_write_once(alice: User):
    for _round in range(5):
        IdempotencyRecord.objects.all().delete()
        write_slowly.enqueue(user=alice.pk)
        claimed, ready = QueuedTask.objects.claim(), QueuedTask.objects.filter(status=READY)
        # The lease ended while the first worker was away.
        ready.update(run_after=timezone.now() - datetime.timedelta(seconds=1))
        at_once([partial(run, claimed), run_pending])
        assert IdempotencyRecord.objects.count() == 1
        assert not ready.exists()
