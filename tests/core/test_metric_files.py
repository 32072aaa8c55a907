"""Metrics never end a process, also if the disk is full."""

import os
import subprocess
import sys
import urllib.request
from contextlib import suppress
from urllib.error import HTTPError

import pytest

from tests.core.test_settings import P256
from tests.server import TOP, running_server

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


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_requests_are_answered_with_a_full_disk(small_disk, tmp_path_factory):
    """Logs and metrics are on the full disk."""
    home = tmp_path_factory.mktemp("home")
    settings = {"PROMETHEUS_MULTIPROC_DIR": str(small_disk / "metrics"), "LOG_DIR": str(small_disk / "log")}
    with running_server(home, DEBUG="off", SECRET_KEY="x" * 50, JWT_PRIVATE_KEY=P256, **settings) as address:
        full = small_disk / "full"
        with suppress(OSError):
            full.write_bytes(bytes(65536))
        with suppress(OSError), full.open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 512)
        failed = set()
        for number in range(100):
            for path in ("/healthz", f"/api/v1/books/?page_size={number + 1}", f"/api/v1/books/{number}/", "/metrics"):
                try:
                    urllib.request.urlopen(address + path, timeout=10).close()
                except HTTPError as error:
                    failed.add(error.code)
    assert failed == {404}
    log = (home / "server.log").read_text()
    assert "was sent SIGBUS" not in log
    assert "Traceback" not in log


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux only")
def test_metrics_work_without_a_writable_directory(tmp_path):
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "missing")}
    program = COUNT.replace("multiprocess.MultiProcessCollector(registry)", "")
    ended = subprocess.run(
        [sys.executable, "-c", program, "0"], env=env, cwd=TOP, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_command_runs_without_the_directory_of_metrics(tmp_path):
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "missing")}
    command = [sys.executable, "manage.py", "check"]
    ended = subprocess.run(command, env=env, cwd=TOP, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
