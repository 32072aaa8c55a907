"""The worker process of gunicorn (`bookbridge.server`)."""

import selectors
import socket
from collections.abc import Iterator

import pytest

from bookbridge.server import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker with one listener that does not run."""
    worker = Worker.__new__(Worker)
    with socket.socket() as listener, selectors.DefaultSelector() as poller:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        worker.sockets, worker.poller = [listener], poller
        worker._accepting, worker.alive = False, True
        yield worker


def test_worker_stopped_at_its_start_closes_its_listener_once(worker: Worker) -> None:
    """The signal may come before `run` enables accepting, and while it disables it."""
    [listener] = worker.sockets
    worker.alive = False
    worker.set_accept_enabled(True)
    assert listener.fileno() >= 0
    for _ in range(2):
        worker.set_accept_enabled(False)
        assert listener.fileno() == -1


def test_busy_worker_keeps_its_listener(worker: Worker) -> None:
    [listener] = worker.sockets
    worker.set_accept_enabled(True)
    worker.set_accept_enabled(False)
    assert listener.fileno() >= 0
