"""Jobs: written with the change that wants them, done once, tried again, given up, kept for staff to see."""

import datetime
import io
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone

from bookbridge.api import jobs
from bookbridge.api.jobs import Job, State, enqueue, job, run_due
from bookbridge.api.models import KeptAnswer
from tests.server import TOP, migrated

pytestmark = pytest.mark.django_db


class BoomError(Exception):
    pass


@pytest.fixture
def done() -> list[Any]:
    """What the handlers below were called with."""
    return []


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch, done: list[Any]) -> None:
    """Handlers for these tests alone."""
    monkeypatch.setattr(jobs, "handlers", {})

    @job("note")
    def note(*, n: int) -> None:
        done.append(n)

    @job("thrice", atomic=False)
    def thrice() -> bool:
        done.append("part")
        return len(done) < 3

    def gave_up(**payload: Any) -> None:
        done.append(("gave up", payload))

    @job("fail", gave_up=gave_up)
    def fail(**payload: Any) -> None:
        KeptAnswer.objects.all().delete()
        Job.objects.create(name="left behind", due_at=timezone.now())
        raise BoomError("alice@example.org")


def later(**since: float) -> None:
    """Let time pass for the open jobs."""
    for row in Job.objects.filter(state=State.OPEN):
        Job.objects.filter(pk=row.pk).update(due_at=row.due_at - datetime.timedelta(**since))


def test_a_job_is_done_once(done):
    assert enqueue("note", n=7)
    assert done == []
    assert (run_due(), done) == (1, [7])
    assert (run_due(), done) == (0, [7])
    row = Job.objects.get()
    assert (row.state, row.attempts, row.error) == (State.DONE, 1, "")
    assert row.ended_at


def test_a_job_goes_with_the_change_that_wanted_it(done):
    with transaction.atomic():
        enqueue("note", n=7)
        transaction.set_rollback(True)
    assert run_due() == 0
    assert not Job.objects.exists()


def test_jobs_are_done_in_the_order_in_which_they_fall_due(done):
    now = timezone.now()
    enqueue("note", n=3, at=now - datetime.timedelta(seconds=1))
    enqueue("note", n=1, at=now - datetime.timedelta(seconds=9))
    enqueue("note", n=2, at=now - datetime.timedelta(seconds=5))
    assert (run_due(), done) == (3, [1, 2, 3])


def test_a_job_waits_for_its_time(done):
    enqueue("note", n=1, at=timezone.now() + datetime.timedelta(minutes=5))
    assert run_due() == 0
    later(minutes=6)
    assert (run_due(), done) == (1, [1])


def test_of_several_with_one_key_the_first_is_done(done):
    assert enqueue("note", key="remind:7", n=1)
    assert not enqueue("note", key="remind:7", n=2)
    assert enqueue("note", key="remind:8", n=3)
    run_due()
    assert not enqueue("note", key="remind:7", n=4)
    run_due()
    assert done == [1, 3]


def test_a_name_nobody_handles_is_a_mistake_of_the_caller():
    with pytest.raises(LookupError):
        enqueue("nonsense")


def test_a_job_of_a_newer_release_waits_for_it(done):
    Job.objects.create(name="newer", due_at=timezone.now())
    run_due()
    row = Job.objects.get()
    assert (row.state, row.error) == (State.OPEN, "KeyError")
    assert row.due_at > timezone.now()


def test_a_job_with_more_to_do_lets_the_others_go_first(done):
    enqueue("thrice")
    enqueue("note", n=7)
    assert (run_due(), done) == (3, ["part", 7, "part"])
    assert Job.objects.filter(state=State.DONE).count() == 2


def test_a_failed_attempt_leaves_nothing_but_the_kind_of_the_error(done):
    KeptAnswer.objects.all().delete()
    enqueue("fail", n=7)
    run_due()
    row = Job.objects.get()
    assert (row.name, row.state, row.attempts, row.error) == ("fail", State.OPEN, 1, "BoomError")
    assert row.due_at > timezone.now() + datetime.timedelta(seconds=5)
    assert "alice" not in str({name: str(value) for name, value in vars(row).items()})


def test_attempts_come_later_and_later_until_it_has_failed(done):
    enqueue("fail", n=7)
    waits = []
    for _attempt in range(jobs.MOST_ATTEMPTS - 1):
        assert run_due() == 1
        waits.append((Job.objects.get().due_at - timezone.now()).total_seconds())
        later(hours=2)
    assert done == []
    assert waits[:4] == sorted(waits[:4])
    assert 9 < waits[0] < 13
    assert max(waits) < 1.3 * 3600
    assert sum(waits) > 3600
    assert run_due() == 1
    row = Job.objects.get()
    assert (row.state, row.attempts, row.error) == (State.FAILED, jobs.MOST_ATTEMPTS, "BoomError")
    assert done == [("gave up", {"n": 7})]
    assert run_due() == 0


def test_a_job_whose_worker_was_killed_is_due_again_after_the_lease(done):
    enqueue("note", n=7)
    assert Job.objects.claim()  # by a worker that is never heard of again
    assert run_due() == 0
    later(seconds=jobs.LEASE.total_seconds() + 1)
    assert (run_due(), done) == (1, [7])


def test_a_job_that_kills_each_of_its_workers_is_given_up(done):
    enqueue("fail", n=7)
    for _attempt in range(jobs.MOST_ATTEMPTS):
        assert Job.objects.claim()
        later(minutes=2)
    run_due()
    row = Job.objects.get()
    assert (row.state, row.error) == (State.FAILED, "AbandonedError")
    assert done == [("gave up", {"n": 7})]


def test_who_lost_the_lease_settles_nothing(done):
    enqueue("note", n=7)
    first = Job.objects.claim()
    later(minutes=2)
    second = Job.objects.claim()
    assert first
    assert second
    first.due_at -= datetime.timedelta(minutes=2)
    first.run()
    assert Job.objects.get().state == State.OPEN
    second.run()
    assert Job.objects.get().state == State.DONE


def test_of_an_atomic_handler_that_lost_its_lease_nothing_is_kept(monkeypatch):
    @job("write")
    def write() -> None:
        Job.objects.create(name="effect", due_at=timezone.now() + datetime.timedelta(days=1))

    enqueue("write")
    row = Job.objects.claim()
    later(minutes=2)
    row.run()
    assert not Job.objects.filter(name="effect").exists()


def test_no_error_of_a_job_has_its_text_in_the_log(caplog):
    enqueue("fail", n=7)
    run_due()
    assert caplog.messages == ["job fail failed"]


def test_staff_look_at_jobs_and_change_none(staff, done):
    enqueue("fail", n=77777)
    run_due()
    admin = Client()
    admin.force_login(staff)
    listed = admin.get("/admin/api/job/").content.decode()
    row = Job.objects.get()
    page = admin.get(f"/admin/api/job/{row.pk}/change/").content.decode()
    for text in (listed, page):
        assert "BoomError" in text
        assert "77777" not in text
    assert admin.get("/admin/api/job/add/").status_code == 403
    assert admin.post(f"/admin/api/job/{row.pk}/change/", {"name": "x"}).status_code == 403
    assert admin.post(f"/admin/api/job/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_old_done_jobs_are_cleared_and_failed_ones_kept():
    now, old = timezone.now(), timezone.now() - datetime.timedelta(days=31)
    for state, ended in ((State.DONE, old), (State.DONE, now), (State.FAILED, old), (State.OPEN, None)):
        Job.objects.create(name=f"{state} {ended}", state=state, ended_at=ended, due_at=old)
    out = io.StringIO()
    call_command("clear_expired", stdout=out)
    assert "jobs: 1 deleted" in out.getvalue()
    assert Job.objects.count() == 3


def test_the_command_does_what_is_due_and_ends(done):
    enqueue("note", n=7)
    out = io.StringIO()
    call_command("work_jobs", "--once", stdout=out)
    assert (out.getvalue(), done) == ("1 jobs done\n", [7])


def test_a_worker_waits_for_a_database_that_is_away(monkeypatch, caplog):
    worker = jobs.Worker(pause=0.01)
    calls = []

    def due(**_ignored: Any) -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError(2002, "nobody there")
        worker.stopping = True
        return 0

    monkeypatch.setattr(jobs, "run_due", due)
    monkeypatch.setattr(jobs, "connections", type("Kept", (), {"close_all": staticmethod(lambda: None)}))
    worker.run()
    assert len(calls) == 3
    assert caplog.messages == ["no jobs can be done"] * 2


def test_the_server_s_thread_begins_and_ends(monkeypatch):
    monkeypatch.setattr(jobs, "run_due", lambda **_ignored: 0)
    jobs.start()
    _worker, thread = jobs._background[0]
    assert thread.is_alive()
    assert thread.daemon
    began = time.monotonic()
    jobs.stop()
    assert not thread.is_alive()
    assert time.monotonic() - began < 10  # not its whole pause


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_on_a_signal(number, tmp_path):
    env = {"DEBUG": "on", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "LOG_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "work_jobs"]
    shutil.copy(migrated(), tmp_path / "db.sqlite3")
    worker = subprocess.Popen(command, cwd=TOP, env=env, stderr=subprocess.PIPE)
    time.sleep(4)
    worker.send_signal(number)
    _out, err = worker.communicate(timeout=20)
    assert (worker.returncode, err) == (0, b"")


def test_recurring_work_is_done_once_in_a_period_however_many_ask(done):
    @jobs.every("daily", hours=24)
    def daily() -> None:
        done.append("daily")

    with time_machine.travel(datetime.datetime(2026, 11, 22, 9, tzinfo=datetime.UTC), tick=False) as clock:
        for hour in (9, 15, 23):
            clock.move_to(datetime.datetime(2026, 11, 22, hour, tzinfo=datetime.UTC))
            for _server in range(3):
                jobs._scheduled.clear()
                jobs.schedule()
                run_due()
        assert done == ["daily"]
        clock.move_to(datetime.datetime(2026, 11, 25, 0, 1, tzinfo=datetime.UTC))
        call_command("work_jobs", "--once", stdout=io.StringIO())
        assert done == ["daily", "daily"]
    jobs._scheduled.clear()
