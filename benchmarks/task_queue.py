"""Measure claiming of tasks in a queue of a million rows, on the database of DATABASE_URL.

    DATABASE_URL=mysql://root@127.0.0.1/bench .venv/bin/python benchmarks/task_queue.py [--rows 1000000] [--workers 4]

Half of the rows are finished, a fifth due (three of four in bulk), the rest later. The rows are deleted at the end.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")

import django

django.setup()

from django.db import connection, connections

from core.tasks.models import QueuedTask

ROWS = """
INSERT INTO core_queuedtask
    (`key`, task_path, args, kwargs, status, run_after, bulk, attempts, error, created_at, finished_at)
SELECT CONCAT('benchmark', seq), 'benchmark', '[]', '{}', IF(seq %% 2, 'SUCCESSFUL', 'READY'),
    TIMESTAMPADD(SECOND, IF(seq %% 10 IN (0, 4), -seq %% 86400 - 1, 3600 + seq %% 86400), UTC_TIMESTAMP(6)),
    seq %% 20 <> 0, 0, '', UTC_TIMESTAMP(6), IF(seq %% 2, UTC_TIMESTAMP(6), NULL)
FROM seq_1_to_%s
"""


def claim(seconds: float) -> list[float]:
    """Claim and finish tasks for some time; return how long each claim took."""
    durations, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        row = QueuedTask.objects.claim()
        durations.append(time.perf_counter() - started)
        if row is None:
            break
        row.finish(more=False)
    connections.close_all()
    return durations


def report(name: str, results: list[list[float]], seconds: float) -> None:
    """Print one line."""
    durations = sorted(duration * 1000 for result in results for duration in result)
    late = durations[len(durations) * 99 // 100]
    print(f"{name}: {len(durations) / seconds:.0f} claims/s, median {median(durations):.1f} ms, p99 {late:.1f} ms")


def main() -> None:
    """Fill the queue, explain the statement, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with connection.cursor() as cursor:
        started = time.monotonic()
        cursor.execute(ROWS % options.rows)
        cursor.execute("ANALYZE TABLE core_queuedtask")
        print(f"{options.rows} rows in {time.monotonic() - started:.0f} s")
        for bulk in (False, True):
            print(QueuedTask.objects.filter(bulk=bulk).due()[:10].explain())
    try:
        report("1 worker", [claim(options.seconds)], options.seconds)
        with ThreadPoolExecutor(options.workers) as threads:
            results = list(threads.map(claim, [options.seconds] * options.workers))
        report(f"{options.workers} workers", results, options.seconds)
        started = time.perf_counter()
        QueuedTask.objects.overdue().exists()
        print(f"overdue (readyz): {(time.perf_counter() - started) * 1000:.1f} ms")
    finally:
        while QueuedTask.objects.filter(
            pk__in=list(QueuedTask.objects.filter(task_path="benchmark").values_list("pk", flat=True)[:20_000])
        ).delete()[0]:
            pass


if __name__ == "__main__":
    main()
