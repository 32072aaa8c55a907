"""The task queue: enqueuing in a transaction, running once, retrying, failing; and other backends in its place."""

import datetime
import io
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone
from django_tasks import TaskResultStatus, default_task_backend
from django_tasks import task as plain_task
from django_tasks.exceptions import TaskResultDoesNotExist

from catalog.tasks import continue_merge
from core.models import IdempotencyRecord
from core.tasks import decorators, scheduling, worker
from core.tasks.cleanup import clean_up
from core.tasks.decorators import periodic_task, task
from core.tasks.models import LEASE_DURATION, MAX_ATTEMPTS, QueuedTask
from core.tasks.worker import run, run_pending
from meetings.tasks import send_reminder
from reviews.imports.services import start_import
from reviews.models import ReviewImport
from reviews.tasks import process_import
from tests.reviews.exports import book, goodreads
from tests.server import TOP, migrated

pytestmark = pytest.mark.django_db

READY, SUCCESSFUL, FAILED = TaskResultStatus.READY, TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED
# What the tasks below were called with.
calls: list[Any] = []


class BoomError(Exception):
    pass


@task()
def note(*, n: int) -> None:
    calls.append(n)


@task(unique=True)
def note_once(*, n: int) -> None:
    calls.append(n)


@task(atomic=False)
def three_steps() -> bool:
    calls.append("step")
    return calls.count("step") < 3


def record_failure(**kwargs: Any) -> None:
    calls.append(("failed", kwargs))


@task(on_failure=record_failure)
def fail(**kwargs: Any) -> None:
    IdempotencyRecord.objects.all().delete()
    QueuedTask.objects.create(key="left behind", task_path="left behind", run_after=timezone.now())
    raise BoomError("alice@example.org")


@task()
def write() -> None:
    QueuedTask.objects.create(key="effect", task_path="effect", run_after=timezone.now() + datetime.timedelta(days=1))


@periodic_task(hours=24)
def daily() -> None:
    calls.append("daily")


@plain_task
def plain(n: int) -> bool:
    calls.append(n)
    return True


del decorators.periodic_tasks[daily.module_path]


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


def pass_time(**time: float) -> None:
    for row in QueuedTask.objects.filter(status=READY):
        QueuedTask.objects.filter(pk=row.pk).update(run_after=row.run_after - datetime.timedelta(**time))


def test_task_runs_once():
    note.enqueue(n=7)
    assert calls == []
    assert (run_pending(), calls) == (1, [7])
    assert (run_pending(), calls) == (0, [7])
    row = QueuedTask.objects.get()
    assert (row.status, row.attempts, row.error) == (SUCCESSFUL, 1, "")
    assert row.finished_at


def test_rollback_discards_the_task():
    with transaction.atomic():
        note.enqueue(n=7)
        transaction.set_rollback(True)
    assert run_pending() == 0
    assert not QueuedTask.objects.exists()


@task(bulk=True)
def note_in_bulk(*, n: int) -> bool:
    """Enqueue an urgent task during the work."""
    calls.append(n)
    if calls.count(n) == 1:
        note.enqueue(n=n + 100)
    return calls.count(n) < 3


def test_bulk_tasks_wait_for_all_others():
    hour_ago = timezone.now() - datetime.timedelta(hours=1)
    for n in (1, 2):
        note_in_bulk.using(run_after=hour_ago).enqueue(n=n)
    note.enqueue(n=50)
    assert run_pending() == 9
    assert calls == [50, 1, 101, 2, 102, 1, 2, 1, 2]


@pytest.mark.parametrize("path", [process_import.module_path, continue_merge.module_path, clean_up.module_path])
def test_imports_merges_and_cleanup_are_bulk(path):
    assert decorators.options[path].bulk
    assert not decorators.options[send_reminder.module_path].bulk


def test_tasks_run_in_the_order_of_run_after():
    now = timezone.now()
    for n, seconds in ((3, 1), (1, 9), (2, 5)):
        note.using(run_after=now - datetime.timedelta(seconds=seconds)).enqueue(n=n)
    assert (run_pending(), calls) == (3, [1, 2, 3])


def test_deferred_task_waits_for_its_time():
    note.using(run_after=timezone.now() + datetime.timedelta(minutes=5)).enqueue(n=1)
    assert run_pending() == 0
    pass_time(minutes=6)
    assert (run_pending(), calls) == (1, [1])


def test_unique_task_runs_once_for_the_same_arguments():
    first = note_once.enqueue(n=1)
    assert note_once.enqueue(n=1).id == first.id
    assert note_once.enqueue(n=3).id != first.id
    run_pending()
    assert note_once.enqueue(n=1).id == first.id
    run_pending()
    assert calls == [1, 3]


def test_result_follows_the_task():
    result = note.enqueue(n=7)
    assert (result.status, result.kwargs, result.backend) == (READY, {"n": 7}, "default")
    run_pending()
    result.refresh()
    assert result.status == SUCCESSFUL
    assert result.finished_at
    with pytest.raises(TaskResultDoesNotExist):
        note.get_result("unknown")


def test_task_with_arguments_that_are_not_json_is_refused():
    with pytest.raises(TypeError, match="Unsupported type"):
        note.enqueue(n=object())
    assert not QueuedTask.objects.exists()


@pytest.mark.parametrize("path", ["newer.tasks.release", "core.tasks.models.QueuedTask"])
def test_unknown_task_is_left_to_another_release(path, monkeypatch, django_assert_num_queries):
    """While servers are updated, an old worker sees tasks of the new release."""
    monkeypatch.setattr(worker, "_unknown_tasks", set())
    for n in range(12):
        QueuedTask.objects.create(key=f"newer{n}", task_path=path, run_after=timezone.now())
    note.enqueue(n=7)
    assert (run_pending(), calls) == (1, [7])
    assert set(QueuedTask.objects.filter(task_path=path).values_list("status", "attempts", "error")) == {(READY, 0, "")}
    with django_assert_num_queries(2):  # one for each class of tasks; it does not look at them again
        assert run_pending() == 0


def test_task_with_more_to_do_lets_others_run_first():
    three_steps.enqueue()
    note.enqueue(n=7)
    assert (run_pending(), calls) == (4, ["step", 7, "step", "step"])
    assert QueuedTask.objects.filter(status=SUCCESSFUL).count() == 2


def test_failed_attempt_is_rolled_back_and_stores_the_error_type():
    IdempotencyRecord.objects.all().delete()
    fail.enqueue(n=7)
    run_pending()
    row = QueuedTask.objects.get()
    assert (row.task_path, row.status, row.attempts) == ("tests.core.test_tasks.fail", READY, 1)
    assert row.error == "BoomError"
    assert row.run_after > timezone.now() + datetime.timedelta(seconds=5)
    assert "alice" not in str({name: str(value) for name, value in vars(row).items()})


def test_backoff_grows_until_the_task_has_failed():
    fail.enqueue(n=7)
    waits = []
    for _attempt in range(MAX_ATTEMPTS - 1):
        assert run_pending() == 1
        waits.append((QueuedTask.objects.get().run_after - timezone.now()).total_seconds())
        pass_time(hours=2)
    assert calls == []
    assert waits[:4] == sorted(waits[:4])
    assert 9 < waits[0] < 13
    assert max(waits) < 1.3 * 3600
    assert sum(waits) > 3600
    assert run_pending() == 1
    row = QueuedTask.objects.get()
    assert (row.status, row.attempts, row.error) == (FAILED, MAX_ATTEMPTS, "BoomError")
    assert calls == [("failed", {"n": 7})]
    assert run_pending() == 0


def test_task_of_a_killed_worker_is_due_after_the_lease():
    note.enqueue(n=7)
    assert QueuedTask.objects.claim()  # by a worker that is killed then
    assert run_pending() == 0
    pass_time(seconds=LEASE_DURATION.total_seconds() + 1)
    assert (run_pending(), calls) == (1, [7])


def test_task_that_kills_every_worker_fails():
    fail.enqueue(n=7)
    for _attempt in range(MAX_ATTEMPTS):
        assert QueuedTask.objects.claim()
        pass_time(minutes=2)
    run_pending()
    row = QueuedTask.objects.get()
    assert (row.status, row.error) == (FAILED, "WorkerLostError")
    assert calls == [("failed", {"n": 7})]


def test_worker_without_the_lease_records_nothing():
    note.enqueue(n=7)
    first = QueuedTask.objects.claim()
    pass_time(minutes=2)
    second = QueuedTask.objects.claim()
    assert first
    assert second
    first.run_after -= datetime.timedelta(minutes=2)
    run(first)
    assert QueuedTask.objects.get().status == READY
    run(second)
    assert QueuedTask.objects.get().status == SUCCESSFUL


def test_atomic_task_without_the_lease_is_rolled_back():
    write.enqueue()
    row = QueuedTask.objects.claim()
    pass_time(minutes=2)
    run(row)
    assert not QueuedTask.objects.filter(task_path="effect").exists()


def test_log_contains_no_text_of_errors(caplog):
    fail.enqueue(n=7)
    run_pending()
    assert caplog.messages == ["task tests.core.test_tasks.fail failed"]


def test_staff_can_view_but_not_change_tasks(staff):
    fail.enqueue(n=77777)
    run_pending()
    admin = Client()
    admin.force_login(staff)
    listed = admin.get("/admin/core/queuedtask/").content.decode()
    row = QueuedTask.objects.get()
    page = admin.get(f"/admin/core/queuedtask/{row.pk}/change/").content.decode()
    for text in (listed, page):
        assert "BoomError" in text
        assert "77777" not in text
    assert admin.get("/admin/core/queuedtask/add/").status_code == 403
    assert admin.post(f"/admin/core/queuedtask/{row.pk}/change/", {"task_path": "x"}).status_code == 403
    assert admin.post(f"/admin/core/queuedtask/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_cleanup_deletes_old_successful_tasks_only():
    now, old = timezone.now(), timezone.now() - datetime.timedelta(days=31)
    for status, finished_at in ((SUCCESSFUL, old), (SUCCESSFUL, now), (FAILED, old), (READY, None)):
        key = f"{status} {finished_at}"
        QueuedTask.objects.create(key=key, task_path="x", status=status, finished_at=finished_at, run_after=old)
    out = io.StringIO()
    call_command("prune_expired", stdout=out)
    assert "tasks: 1 deleted" in out.getvalue()
    assert QueuedTask.objects.count() == 3


def test_command_once_runs_due_tasks_and_exits(monkeypatch):
    monkeypatch.setattr(scheduling, "periodic_tasks", {})
    note.enqueue(n=7)
    out = io.StringIO()
    call_command("run_worker", "--once", stdout=out)
    assert (out.getvalue(), calls) == ("1 tasks run\n", [7])


def test_worker_survives_an_unreachable_database(monkeypatch, caplog):
    tested = worker.Worker(poll_interval=0.01)
    attempts = []

    def unreachable(**_ignored: Any) -> int:
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationalError(2002, "unreachable")
        tested.stop_requested = True
        return 0

    monkeypatch.setattr(worker, "enqueue_periodic", lambda: None)
    monkeypatch.setattr(worker, "run_pending", unreachable)
    monkeypatch.setattr(worker, "connections", type("Open", (), {"close_all": staticmethod(lambda: None)}))
    tested.run()
    assert len(attempts) == 3
    assert caplog.messages == ["no tasks can be run"] * 2


def test_worker_thread_starts_and_stops(monkeypatch):
    monkeypatch.setattr(worker, "run_pending", lambda **_ignored: 0)
    monkeypatch.setattr(worker, "enqueue_periodic", lambda: None)
    worker.start()
    _worker, thread = worker._background[0]
    assert thread.is_alive()
    assert thread.daemon
    began = time.monotonic()
    worker.stop()
    assert not thread.is_alive()
    assert time.monotonic() - began < 10  # it did not wait for the poll interval


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_command_exits_on_a_signal(signum, tmp_path):
    env = {"DEBUG": "on", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "LOG_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "run_worker"]
    shutil.copy(migrated(), tmp_path / "db.sqlite3")
    process = subprocess.Popen(command, cwd=TOP, env=env, stderr=subprocess.PIPE)
    # The handlers are installed before the first periodic task is enqueued.
    with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as database:
        while not database.execute("SELECT count(*) FROM core_queuedtask").fetchone()[0]:
            assert process.poll() is None
            time.sleep(0.05)
    process.send_signal(signum)
    _out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")


def test_periodic_task_runs_once_in_each_period(monkeypatch):
    only_daily = {daily.module_path: (daily, datetime.timedelta(hours=24))}
    monkeypatch.setattr(scheduling, "periodic_tasks", only_daily)
    with time_machine.travel(datetime.datetime(2026, 11, 22, 9, tzinfo=datetime.UTC), tick=False) as clock:
        for hour in (9, 15, 23):
            clock.move_to(datetime.datetime(2026, 11, 22, hour, tzinfo=datetime.UTC))
            for _server in range(3):
                scheduling._periods.clear()
                scheduling.enqueue_periodic()
                run_pending()
        assert calls == ["daily"]
        clock.move_to(datetime.datetime(2026, 11, 25, 0, 1, tzinfo=datetime.UTC))
        call_command("run_worker", "--once", stdout=io.StringIO())
        assert calls == ["daily", "daily"]
    scheduling._periods.clear()


def test_product_periodic_tasks_are_registered():
    names = {path.rpartition(".")[2] for path in decorators.periodic_tasks}
    assert {"clean_up", "resync_meetings"} <= names


# --- Django's own decorator on our backend, and our tasks on other backends ------------------------------------------


def test_plain_django_task_runs_on_the_queue():
    """It takes positional arguments, and True is a result like any other."""
    plain.enqueue(7)
    assert (run_pending(), calls) == (1, [7])
    assert QueuedTask.objects.get().status == SUCCESSFUL


@pytest.fixture
def backend(request, settings):
    settings.TASKS = {"default": {"BACKEND": f"django_tasks.backends.{request.param}"}}
    return default_task_backend


IMMEDIATE = pytest.mark.parametrize("backend", ["immediate.ImmediateBackend"], indirect=True)
DUMMY = pytest.mark.parametrize("backend", ["dummy.DummyBackend"], indirect=True)


@IMMEDIATE
def test_immediate_backend_runs_an_import_to_its_end(backend, make_user, monkeypatch):
    monkeypatch.setattr("reviews.tasks.MAX_SECONDS_PER_RUN", -1)  # one row at a time
    data = goodreads(*(book(n) for n in range(5)))
    start_import(by=make_user("alice"), source="goodreads", visibility="public", data=data)
    assert not QueuedTask.objects.exists()
    work = ReviewImport.objects.get()
    assert (work.status, work.rows_processed, work.created) == ("done", 5, 5)


@IMMEDIATE
def test_immediate_backend_runs_all_steps_and_on_failure(backend):
    three_steps.enqueue()
    assert fail.enqueue(n=7).status == FAILED
    assert calls == ["step", "step", "step", ("failed", {"n": 7})]
    assert not QueuedTask.objects.filter(task_path="left behind").exists()  # rolled back


@DUMMY
def test_dummy_backend_records_reminders_and_imports(backend):
    run_after = timezone.now() + datetime.timedelta(days=1)
    send_reminder.using(run_after=run_after).enqueue(meeting_id=1, days=7, starts=run_after.isoformat())
    process_import.enqueue(id=1)
    reminder, imported = backend.results
    assert (reminder.task.name, reminder.task.run_after, reminder.kwargs["meeting_id"]) == (
        "send_reminder",
        run_after,
        1,
    )
    assert (imported.task.name, imported.kwargs) == ("process_import", {"id": 1})
    assert not QueuedTask.objects.exists()


@DUMMY
def test_periodic_tasks_are_enqueued_on_any_backend(backend, monkeypatch):
    monkeypatch.setattr(scheduling, "_periods", {})
    scheduling.enqueue_periodic()
    monkeypatch.setattr(scheduling, "_periods", {})
    scheduling.enqueue_periodic()
    assert sorted(result.task.name for result in backend.results) == [
        "clean_up",
        "resync_meetings",
        "send_due_digests",
    ]
    assert not QueuedTask.objects.exists()


@pytest.fixture
def stub_queue(monkeypatch) -> list[str]:
    """Replace what a worker does between tasks; returns the list of the calls."""
    calls: list[str] = []
    monkeypatch.setattr(worker, "enqueue_periodic", lambda: calls.append("periodic"))
    monkeypatch.setattr(worker, "write_heartbeat", lambda: calls.append("heartbeat"))
    monkeypatch.setattr(worker, "connections", type("Open", (), {"close_all": staticmethod(lambda: None)}))
    return calls


def test_worker_with_a_backlog_writes_heartbeats_and_enqueues_periodic_tasks(monkeypatch, stub_queue):
    tested = worker.Worker(poll_interval=0.01)

    def run_one(row: Any) -> None:
        stub_queue.append("task")
        time.sleep(0.01)
        tested.stop_requested = stub_queue.count("task") == 20

    monkeypatch.setattr(worker.QueuedTask.objects, "without", lambda names: worker.QueuedTask.objects)
    monkeypatch.setattr(worker.QueuedTask.objects, "claim", lambda is_known: object())
    monkeypatch.setattr(worker, "run", run_one)
    tested.run()
    assert stub_queue.count("periodic") == stub_queue.count("heartbeat") >= 5


def test_worker_that_waits_for_the_database_stops_within_seconds(monkeypatch, stub_queue):
    tested = worker.Worker(poll_interval=30)

    def unreachable(**_ignored: Any) -> int:
        # As a signal handler does, which cannot set the event.
        threading.Timer(0.2, setattr, (tested, "stop_requested", True)).start()
        raise OperationalError(2002, "unreachable")

    monkeypatch.setattr(worker, "run_pending", unreachable)
    began = time.monotonic()
    tested.run()
    assert time.monotonic() - began < 10
