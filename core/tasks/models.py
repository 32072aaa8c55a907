"""The task queue: a table, written in the transaction of the change that enqueues the task.

A worker claims a task by moving its `run_after` to the end of a lease, in one UPDATE that only one of several workers
can win. If the worker is killed, the lease ends and the task is due again. A worker writes the outcome only if no other
worker has claimed the task since.
"""

from __future__ import annotations

import datetime
import random
import threading
from collections.abc import Callable, Collection
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_tasks import TaskResult, TaskResultStatus
from django_tasks.base import Task

from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry

# A task that takes longer must do its work in parts and return True after each.
LEASE_DURATION = datetime.timedelta(seconds=60)
# With the backoff between them the last attempt is about six hours after the first.
MAX_ATTEMPTS = 12
RETRY_BACKOFF_INITIAL, RETRY_BACKOFF_MAX = datetime.timedelta(seconds=10), datetime.timedelta(hours=1)
RETENTION = datetime.timedelta(days=30)
# A task that waits for longer than this shows that no worker runs, or too few.
OVERDUE_AFTER = datetime.timedelta(minutes=5)

# Wakes the worker thread of this process.
wake = threading.Event()


class TaskStatus(models.TextChoices):
    """The statuses of django.tasks that the queue stores; a running task is ready, with a lease."""

    READY = TaskResultStatus.READY.value, pgettext_lazy("task", "ready")
    SUCCESSFUL = TaskResultStatus.SUCCESSFUL.value, pgettext_lazy("task", "successful")
    FAILED = TaskResultStatus.FAILED.value, pgettext_lazy("task", "failed")


class LeaseLostError(Exception):
    """Another worker has claimed the task in the meantime."""


class QueuedTaskQuerySet(models.QuerySet["QueuedTask"]):
    """Queries for queued tasks."""

    def due(self) -> QueuedTaskQuerySet:
        """Return the tasks that can run now, the longest waiting first."""
        return self.filter(status=TaskStatus.READY, run_after__lte=timezone.now()).order_by("run_after", "id")

    def overdue(self) -> QueuedTaskQuerySet:
        """Return the tasks that have been due for five minutes."""
        return self.filter(status=TaskStatus.READY, run_after__lt=timezone.now() - OVERDUE_AFTER)

    def expired(self) -> QueuedTaskQuerySet:
        """Return the tasks that succeeded 30 days ago; failed ones stay until staff have dealt with them."""
        return self.filter(status=TaskStatus.SUCCESSFUL, finished_at__lt=timezone.now() - RETENTION)

    def retry(self) -> int:
        """Make failed tasks due immediately with their attempts reset, and return how many there were."""
        reset = {"status": TaskStatus.READY, "run_after": timezone.now(), "attempts": 0, "error": ""}
        count = self.filter(status=TaskStatus.FAILED).update(**reset, finished_at=None)
        transaction.on_commit(wake.set)
        return count

    def claim(self, *, is_known: Callable[[QueuedTask], bool] = lambda row: True) -> QueuedTask | None:
        """Claim one due and known task for the length of a lease, a bulk task only if there is no other.

        Returns None if there is none.
        """
        unknown: set[str] = set()
        # One statement each, because an index cannot order by `bulk` among the tasks that are due.
        for bulk in (False, True):
            while rows := list(self.without(unknown).filter(bulk=bulk).due()[:10]):
                for row in rows:
                    if not is_known(row):
                        unknown.add(row.task_path)
                    elif row.claim():
                        return row
        return None

    def without(self, task_paths: Collection[str]) -> QueuedTaskQuerySet:
        """Return the tasks with other names."""
        return self.exclude(task_path__in=task_paths) if task_paths else self.all()


class QueuedTask(models.Model):
    """A task in the queue, or the record of a finished one."""

    key = BinaryCollationCharField(
        max_length=64,
        unique=True,
        help_text=_("Random, or derived from the arguments of a task that is unique."),
        verbose_name=_("key"),
    )
    task_path = BinaryCollationCharField(max_length=200, verbose_name=_("task"))
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict, verbose_name=_("arguments"))
    status = models.CharField(
        max_length=10, choices=TaskStatus.choices, default=TaskStatus.READY, verbose_name=_("status")
    )
    run_after = models.DateTimeField(
        _("run after"), help_text=_("When the task becomes due, or when the current lease ends.")
    )
    bulk = models.BooleanField(
        _("bulk"), default=False, db_default=False, help_text=_("Bulk tasks run while no other task is due.")
    )
    traceparent = models.CharField(  # noqa: DJ001  (servers of a former release leave it NULL)
        _("trace context"),
        max_length=55,
        null=True,
        help_text=_("The trace of the request or task that enqueued this one, as a W3C traceparent."),
    )
    attempts = models.PositiveSmallIntegerField(default=0, verbose_name=_("attempts"))
    error = models.CharField(
        max_length=100,
        blank=True,
        help_text=_("The type of the last error, without its text."),
        verbose_name=_("error"),
    )
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = QueuedTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        indexes = [
            models.Index(fields=["status", "run_after", "id"], name="core_task_due"),
            models.Index(fields=["status", "bulk", "run_after", "id"], name="core_task_claim"),
            models.Index(fields=["status", "finished_at"], name="core_task_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.task_path} ({self.pk})"

    def claim(self) -> bool:
        """Claim the task for the length of a lease; return False if another worker has claimed it first."""
        lease_end = timezone.now() + LEASE_DURATION
        if not self._own_lease().update(run_after=lease_end, attempts=models.F("attempts") + 1):
            return False
        self.run_after, self.attempts = lease_end, self.attempts + 1
        return True

    def finish(self, *, more: bool | None) -> None:
        """Mark the task as successful or, if there is more to do, put it at the end of the queue.

        Raises LeaseLostError.
        """
        if more:
            self._write(run_after=timezone.now(), attempts=0, error="")
        else:
            self._write(status=TaskStatus.SUCCESSFUL, finished_at=timezone.now())

    def retry_or_fail(self, error: Exception) -> None:
        """Schedule a retry with exponential backoff, or mark the task as failed after the last attempt.

        Raises LeaseLostError.
        """
        now, name = timezone.now(), type(error).__name__[:100]
        if self.attempts < MAX_ATTEMPTS:
            backoff = min(RETRY_BACKOFF_INITIAL * 3 ** (self.attempts - 1), RETRY_BACKOFF_MAX)
            self._write(run_after=now + backoff * random.uniform(1, 1.2), error=name)
        else:
            self._write(status=TaskStatus.FAILED, finished_at=now, error=name)

    def to_result(self, task: Task[Any, Any], *, backend: str) -> TaskResult[Any]:
        """Return the row as a `TaskResult`. Texts of errors are not stored: they may quote personal data."""
        return TaskResult(
            task=task,
            id=self.key,
            status=TaskResultStatus(self.status),
            enqueued_at=self.created_at,
            started_at=None,
            finished_at=self.finished_at,
            last_attempted_at=None,
            args=self.args,
            kwargs=self.kwargs,
            backend=backend,
            errors=[],
            worker_ids=[],
        )

    @atomic_with_retry
    def _write(self, **values: Any) -> None:
        if not self._own_lease().update(**values):
            raise LeaseLostError

    def _own_lease(self) -> QueuedTaskQuerySet:
        """Return the row, unless another worker has claimed it since."""
        return QueuedTask.objects.filter(pk=self.pk, status=TaskStatus.READY, run_after=self.run_after)


class PeriodicTaskQuerySet(models.QuerySet["PeriodicTask"]):
    """Queries for periodic tasks."""

    def start_period(self, task_path: str, period: int) -> bool:
        """Record the period of a task; return whether this call was the first to do so."""
        if self.filter(task_path=task_path, period__lt=period).update(period=period):
            return True
        try:
            with transaction.atomic():
                self.create(task_path=task_path, period=period)
        except IntegrityError:
            return False
        return True


class PeriodicTask(models.Model):
    """The period in which a periodic task was enqueued last."""

    task_path = BinaryCollationCharField(max_length=200, primary_key=True, verbose_name=_("task path"))
    period = models.BigIntegerField(help_text="Number of whole intervals since 1970.")

    objects = PeriodicTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.task_path}: {self.period}"
