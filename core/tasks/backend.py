"""The default backend in TASKS: a queue in the database."""

import json
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django_tasks import TaskResult
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks.signals import task_enqueued
from django_tasks.utils import get_random_id

from core.observability.trace_context import new_traceparent
from core.tasks.decorators import get_options
from core.tasks.models import QueuedTask, wake
from core.tasks.worker import find_task


class DatabaseBackend(BaseTaskBackend):
    """Enqueue tasks as rows, in the caller's transaction."""

    supports_defer = True
    supports_get_result = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Enqueue the task, which runs after the transaction is committed.

        Arguments are stored as JSON: pass ids, not content.
        """
        self.validate_task(task)
        row = QueuedTask(
            key=_key(task, args, kwargs),
            task_path=task.module_path,
            args=list(args),
            kwargs=kwargs,
            run_after=task.run_after or timezone.now(),
            bulk=get_options(task).bulk,
            traceparent=new_traceparent(),
        )
        result = row.to_result(task, backend=self.alias)
        try:
            # With a savepoint only where the error below is expected.
            with transaction.atomic(savepoint=get_options(task).unique):
                row.save(force_insert=True)
        except IntegrityError:
            if not get_options(task).unique:
                raise
            return result
        transaction.on_commit(wake.set)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """Return the state of a task. Raises TaskResultDoesNotExist."""
        try:
            row = QueuedTask.objects.get(key=result_id)
        except QueuedTask.DoesNotExist:
            raise TaskResultDoesNotExist(result_id) from None
        return row.to_result(find_task(row.task_path), backend=self.alias)


def _key(task: Task[Any, Any], args: Any, kwargs: Any) -> str:
    if not get_options(task).unique:
        return get_random_id()
    return sha256(json.dumps([task.module_path, args, kwargs], sort_keys=True).encode()).hexdigest()
