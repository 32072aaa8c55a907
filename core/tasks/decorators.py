"""`@task` and `@periodic_task`: django.tasks' decorator, with the options of our queue.

>>> @task()
... def remind(*, meeting_id: int) -> None: ...
>>> remind.enqueue(meeting_id=7)
>>> remind.using(run_after=tomorrow).enqueue(meeting_id=7)

Tasks run at least once: a process may be killed after the work and before the task is marked as done. The function of
an `atomic` task (the default) must only write to the database; its writes are committed together with that mark, so
they happen exactly once.

Each task is a plain `django_tasks.Task` that also runs on any other backend in TASKS: there it runs to completion in
one call, and that backend decides about retries. `unique` and `bulk` are features of our backend alone.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec

import django_tasks
from django.dispatch import receiver
from django_tasks import TaskResult, TaskResultStatus
from django_tasks.base import Task
from django_tasks.signals import task_finished

from core.db.transactions import atomic_with_retry

P = ParamSpec("P")


class TaskOptions(NamedTuple):
    """The function of a task, and how our backend runs it."""

    function: Callable[..., bool | None]
    atomic: bool
    unique: bool
    bulk: bool
    on_failure: Callable[..., None] | None


# By the task's module_path.
options: dict[str, TaskOptions] = {}
periodic_tasks: dict[str, tuple[Task[[], None], datetime.timedelta]] = {}


def task(
    *,
    atomic: bool = True,
    unique: bool = False,
    bulk: bool = False,
    on_failure: Callable[..., None] | None = None,
) -> Callable[[Callable[P, bool | None]], Task[P, None]]:
    """Return a decorator that makes a task of a function, which returns True if there is more to do.

    After an exception the task is retried later. `on_failure` is called with the task's arguments after the last
    attempt, in the transaction that marks the task as failed. Of several `unique` tasks with the same arguments only
    the first is run, for as long as its row exists: 30 days after it succeeded. `bulk` tasks, such as imports, run
    while no other task is due.
    """

    def decorate(function: Callable[P, bool | None]) -> Task[P, None]:
        step = atomic_with_retry(function) if atomic else function

        @functools.wraps(function)
        def run_to_completion(*args: P.args, **kwargs: P.kwargs) -> None:
            while step(*args, **kwargs):
                pass

        decorated = django_tasks.task(run_to_completion)
        options[decorated.module_path] = TaskOptions(function, atomic, unique, bulk, on_failure)
        return decorated

    return decorate


def periodic_task(
    *, atomic: bool = True, bulk: bool = False, **interval: float
) -> Callable[[Callable[[], bool | None]], Task[[], None]]:
    """Return a decorator for a task that runs once in each interval (`hours=24`), on however many servers.

    Periods in which no worker was running are skipped.
    """

    def decorate(function: Callable[[], bool | None]) -> Task[[], None]:
        decorated = task(atomic=atomic, bulk=bulk)(function)
        periodic_tasks[decorated.module_path] = (decorated, datetime.timedelta(**interval))
        return decorated

    return decorate


def get_options(task: Task[Any, Any]) -> TaskOptions:
    """Return the options of a task; one declared with django.tasks' own decorator is not atomic and runs once."""

    def call(*args: Any, **kwargs: Any) -> None:
        task.call(*args, **kwargs)

    return options.get(task.module_path) or TaskOptions(call, atomic=False, unique=False, bulk=False, on_failure=None)


@receiver(task_finished)
def call_on_failure(*, task_result: TaskResult[Any], **kwargs: Any) -> None:
    """Call a failed task's `on_failure`, on our backend and on others that send django.tasks' signals."""
    on_failure = get_options(task_result.task).on_failure
    if on_failure and task_result.status == TaskResultStatus.FAILED:
        on_failure(*task_result.args, **task_result.kwargs)
