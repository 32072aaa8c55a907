"""Metrics never end a process, also if the disk is full."""

import os
import subprocess
import sys

import pytest

from tests.server import TOP

COUNT = """
import errno, os, resource, signal, sys
from core.observability import metric_files
metric_files.install()
from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess
failing = int(sys.argv[1])
allocate = os.posix_fallocate
def limited(descriptor, offset, size):
    if size > failing:
        raise OSError(errno.ENOSPC, "full")
    allocate(descriptor, offset, size)
os.posix_fallocate = limited
counter = Counter("calls", "Calls.", ("route",), registry=CollectorRegistry())
for n in range(2000):
    counter.labels(f"route{n}").inc()
assert counter.labels("route7")._value.get() == 1
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
print(generate_latest(registry).count(b"calls_total{"))
"""


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux only")
@pytest.mark.parametrize(
    ("bytes_free", "collected"), [(10**9, 2000), (1 << 17, 0), (0, 0)], ids=["enough", "some", "none"]
)
def test_metrics_continue_in_memory_on_a_full_disk(tmp_path, bytes_free, collected):
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", COUNT, str(bytes_free)], env=env, cwd=TOP, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{collected}\n", "")
    assert len(list(tmp_path.iterdir())) == (1 if collected else 0)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux only")
def test_metrics_work_without_a_writable_directory(tmp_path):
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "missing")}
    program = COUNT.replace("multiprocess.MultiProcessCollector(registry)", "")
    ended = subprocess.run(
        [sys.executable, "-c", program, "0"], env=env, cwd=TOP, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
