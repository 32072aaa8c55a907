"""Metrics that are read when they are collected: tasks, e-mails, the cache, replicas and the release."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import Error
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import mail, redis
from core.db import replicas
from core.release import code_digest
from core.tasks.models import QueuedTask, TaskStatus


class StateCollector(Collector):
    """Gauges of the state of this process and of the queue, which all processes share."""

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics; those of the queue only if the database is available."""
        build = GaugeMetricFamily("bookbridge_build_info", "The release.", labels=("version", "digest"))
        build.add_metric([settings.VERSION, code_digest()], 1)
        yield build
        circuits = GaugeMetricFamily(
            "bookbridge_circuit_open",
            "Whether this process's calls to a service have failed since the last success.",
            labels=["service"],
        )
        for service, breaker in {"redis": redis.breaker, "mail": mail.breaker, **replicas.breakers}.items():
            circuits.add_metric([service], breaker.is_failing)
        yield circuits
        try:
            yield from _tasks()
        except Error:
            return


def _tasks() -> Iterator[Metric]:
    """Return the tasks that wait or have failed, by name."""
    now = timezone.now()
    rows = list(
        QueuedTask.objects.filter(status__in=[TaskStatus.READY, TaskStatus.FAILED])
        .values("task_path", "status")
        .annotate(tasks=Count("pk"), due=Count("pk", filter=Q(run_after__lte=now)), oldest=Min("run_after"))
        .order_by("task_path", "status")
    )
    waiting = GaugeMetricFamily("bookbridge_tasks_waiting", "Tasks that are due now.", labels=["task"])
    oldest = GaugeMetricFamily(
        "bookbridge_tasks_oldest_seconds", "For how long the first due task has been waiting.", labels=["task"]
    )
    failed = GaugeMetricFamily("bookbridge_tasks_failed", "Tasks that failed in all attempts.", labels=["task"])
    for row in rows:
        task = [row["task_path"]]
        if row["status"] == TaskStatus.FAILED:
            failed.add_metric(task, row["tasks"])
        else:
            waiting.add_metric(task, row["due"])
            oldest.add_metric(task, max(0.0, (now - row["oldest"]).total_seconds()))
    yield from (waiting, oldest, failed, _retrying_tasks())


def _retrying_tasks() -> Metric:
    """Return the tasks that will be tried again, by the type of their last error.

    Read from the queue, because workers serve no /metrics (DECISIONS.md 0243).
    """
    retrying = GaugeMetricFamily(
        "bookbridge_tasks_retrying", "Tasks that failed and will be tried again.", labels=("task", "error")
    )
    rows = QueuedTask.objects.filter(status=TaskStatus.READY).exclude(error="")
    for row in rows.values("task_path", "error").annotate(tasks=Count("pk")).order_by("task_path", "error"):
        retrying.add_metric([row["task_path"], row["error"]], row["tasks"])
    return retrying


def register(registry: CollectorRegistry) -> None:
    """Add the gauges to a registry."""
    registry.register(StateCollector())
