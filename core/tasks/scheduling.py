"""Periodic tasks, on whichever backend TASKS names."""

from django.utils import timezone

from core.db.transactions import atomic_with_retry
from core.tasks.decorators import periodic_tasks
from core.tasks.models import PeriodicTask

# The last period of each task that this process has enqueued; saves a query.
_periods: dict[str, int] = {}


def enqueue_periodic() -> None:
    """Enqueue the tasks of this period that no server has enqueued yet."""
    now = timezone.now().timestamp()
    for path, (_task, interval) in list(periodic_tasks.items()):
        period = int(now // interval.total_seconds())
        if _periods.get(path) != period:
            _enqueue_once(path, period)
            _periods[path] = period


@atomic_with_retry
def _enqueue_once(path: str, period: int) -> None:
    if PeriodicTask.objects.start_period(path, period):
        task, _interval = periodic_tasks[path]
        task.enqueue()
