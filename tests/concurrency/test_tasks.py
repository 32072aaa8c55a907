"""Tasks with several workers: each takes effect once, even if a worker is killed."""

import datetime
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from bookbridge.api import jobs
from bookbridge.api.jobs import Job, State, enqueue, job, run_due
from bookbridge.api.models import KeptAnswer
from tests.concurrency.tools import at_once
from tests.server import TOP

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "handlers", {})


@pytest.fixture
def worker_process() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start workers on the test database; they are killed at the end."""
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


def wait_until(true: Callable[[], Any], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("atomic", [True, False])
def test_four_workers_run_each_task_once(atomic):
    done: Counter[int] = Counter()

    @job("count", atomic=atomic)
    def count(*, n: int) -> None:
        done[n] += 1

    for n in range(100):
        enqueue("count", n=n)
    counts = at_once([run_due] * 4)
    assert sum(counts) == 100
    assert done == Counter(range(100))
    assert set(Job.objects.values_list("state", "attempts", "error")) == {(State.DONE, 1, "")}


def test_enqueue_with_same_key_creates_one_task():
    done = []

    @job("remind")
    def remind(*, n: int) -> None:
        done.append(n)

    for _round in range(5):
        done.clear()
        calls = [lambda n=n, key=f"remind {_round}": enqueue("remind", key=key, n=n) for n in range(12)]
        assert sorted(at_once(calls)) == [False] * 11 + [True]
        at_once([run_due] * 4)
        assert len(done) == 1


def test_killed_worker_rolls_back_and_task_is_retried(alice: User, worker_process):
    job("slow")(lambda **_payload: None)
    Job.objects.create(name="slow", payload={"user": alice.pk, "n": 0}, due_at=timezone.now())
    victim = worker_process(lease=2)
    wait_until(lambda: Job.objects.filter(attempts=1).exists())
    time.sleep(0.5)
    victim.kill()
    victim.wait()
    assert not KeptAnswer.objects.exists()  # its transaction was rolled back
    assert run_due() == 0  # the lease has not expired
    wait_until(run_due)
    row = Job.objects.get()
    assert (row.state, row.attempts) == (State.DONE, 2)


def test_repeatedly_killed_workers_run_each_task_once(alice: User, worker_process):
    job("slow")(lambda **_payload: None)
    for n in range(1, 101):
        enqueue("slow", user=alice.pk, n=n)
    for _round in range(4):
        before = Job.objects.filter(state=State.DONE).count()
        victims = [worker_process(lease=1), worker_process(lease=1)]
        wait_until(lambda before=before: Job.objects.filter(state=State.DONE).count() >= min(before + 8, 95))
        for victim in victims:
            victim.kill()
            victim.wait()
    worker_process(lease=5)
    wait_until(lambda: not Job.objects.filter(state=State.OPEN).exists())
    # The unique key would reject a second effect, and the task would record the error.
    assert set(Job.objects.values_list("state", "error")) == {(State.DONE, "")}
    assert KeptAnswer.objects.filter(key__startswith="slow").count() == 100


def test_worker_with_expired_lease_has_no_second_effect(alice: User):
    @job("both")
    def both() -> None:
        KeptAnswer.objects.create(user=alice, key=f"both {time.monotonic_ns()}", body="")
        time.sleep(0.2)

    for _round in range(5):
        KeptAnswer.objects.all().delete()
        enqueue("both")
        slow, quick = Job.objects.claim(), Job.objects.filter(state=State.OPEN)
        # The lease of `slow` has expired.
        quick.update(due_at=timezone.now() - datetime.timedelta(seconds=1))
        at_once([slow.run, run_due])
        assert KeptAnswer.objects.count() == 1
        assert not quick.exists()
