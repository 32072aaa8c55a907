"""Running the tasks of the queue.

JOBS=inline runs them in a thread of each server process, JOBS=worker in processes of `manage.py run_worker`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import close_old_connections, connections
from django.utils.module_loading import import_string
from django_tasks.base import Task
from django_tasks.signals import task_finished

from core.db.replicas import write_heartbeat
from core.db.transactions import atomic_with_retry
from core.observability.trace_context import continue_trace
from core.tasks.decorators import get_options
from core.tasks.models import MAX_ATTEMPTS, LeaseLostError, QueuedTask, TaskStatus, wake
from core.tasks.scheduling import enqueue_periodic

logger = logging.getLogger("bookbridge.tasks")


class WorkerLostError(Exception):
    """The worker was killed, or lost its lease, in each of the attempts."""


def find_task(path: str) -> Task[Any, Any]:
    """Return the task of a queued row. Raises ImportError for one that this release does not have."""
    task = import_string(path)
    if not isinstance(task, Task):
        raise ImportError(path)
    return task


def run_pending(*, stop_requested: Callable[[], bool] = lambda: False) -> int:
    """Run due tasks one after the other until none is left or `stop_requested()`; return how many were started."""
    started = 0
    while not stop_requested() and (row := QueuedTask.objects.without(_unknown_tasks).claim(is_known=_is_known)):
        run(row)
        started += 1
    return started


# Names of tasks of another release; they are left to its workers. While servers are updated, both releases run.
_unknown_tasks: set[str] = set()


def _is_known(row: QueuedTask) -> bool:
    """Return whether this release has the task, and remember if it has not."""
    try:
        find_task(row.task_path)
    except ImportError:
        logger.warning("task %s is left to the workers of another release", row.task_path)
        _unknown_tasks.add(row.task_path)
        return False
    return True


def run(row: QueuedTask) -> None:
    """Run a claimed task and record the outcome, in the trace of the request that enqueued it."""
    with continue_trace(row.traceparent):
        _run_and_record(row)


def _run_and_record(row: QueuedTask) -> None:
    try:
        if row.attempts > MAX_ATTEMPTS:
            raise WorkerLostError
        found = get_options(find_task(row.task_path))
        more = (_run_atomic if found.atomic else _run)(row, found.function)
        if not more:
            _send_finished(row, TaskStatus.SUCCESSFUL)
    except LeaseLostError:
        logger.warning("task %s was claimed by another worker", row.task_path)
    except Exception as error:  # no error of one task may stop the others
        logger.error("task %s failed", row.task_path, exc_info=error, extra={"task": row.task_path})
        with suppress(LeaseLostError):
            _retry_or_fail(row, error)


def _run(row: QueuedTask, function: Callable[..., bool | None]) -> bool | None:
    more = function(*row.args, **row.kwargs)
    row.finish(more=more)
    return more


_run_atomic = atomic_with_retry(_run)


@atomic_with_retry
def _retry_or_fail(row: QueuedTask, error: Exception) -> None:
    """Record the error; the receivers of `task_finished` (`on_failure`) run in the same transaction."""
    row.retry_or_fail(error)
    if row.attempts >= MAX_ATTEMPTS:
        with suppress(ImportError):
            _send_finished(row, TaskStatus.FAILED)


def _send_finished(row: QueuedTask, status: TaskStatus) -> None:
    task = find_task(row.task_path)
    row.status = status
    task_finished.send(type(task.get_backend()), task_result=row.to_result(task, backend=task.backend))


class Worker:
    """Runs tasks as they become due until `stop_requested` is set, polling every `poll_interval` seconds."""

    def __init__(self, *, poll_interval: float = 2.0) -> None:
        self.poll_interval = poll_interval
        # Not an Event: a signal handler sets it, and could interrupt the owner of the Event's lock.
        self.stop_requested = False

    def run(self) -> None:
        """Run tasks; while the database is unreachable, try again at increasing intervals.

        During a backlog the heartbeat is still written and periodic tasks are still enqueued.
        """
        wait = self.poll_interval
        while not self.stop_requested:
            close_old_connections()
            try:
                write_heartbeat()
                enqueue_periodic()
                wait = 0.0 if self._run_batch() else self.poll_interval
            except Exception as error:  # nothing above this would log it
                logger.error("no tasks can be run", exc_info=error)
                wait = min(max(2 * wait, self.poll_interval), 60)
            close_old_connections()
            self._wait(wait)
            # A task enqueued from here on sets the event again.
            wake.clear()
        connections.close_all()

    def _run_batch(self) -> bool:
        """Run due tasks for about `poll_interval` seconds; return whether time ran out before the queue was empty."""
        deadline = time.monotonic() + self.poll_interval
        run_pending(stop_requested=lambda: self.stop_requested or time.monotonic() > deadline)
        return time.monotonic() > deadline

    def _wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until a task is enqueued in this process or a stop is requested.

        A signal handler cannot safely set the event, so this checks for a stop every second.
        """
        deadline = time.monotonic() + seconds
        while not self.stop_requested and (remaining := deadline - time.monotonic()) > 0:
            if wake.wait(min(remaining, 1.0)):
                return


_background: list[tuple[Worker, threading.Thread]] = []


def start() -> None:
    """Start running tasks in a thread of this process (JOBS=inline)."""
    worker = Worker()
    thread = threading.Thread(target=worker.run, name="tasks", daemon=True)
    _background.append((worker, thread))
    thread.start()


def stop(seconds: float = 5.0) -> None:
    """Stop the thread after the current task. If that takes longer than `seconds`, its lease will end by itself."""
    while _background:
        worker, thread = _background.pop()
        worker.stop_requested = True
        wake.set()
        thread.join(seconds)
