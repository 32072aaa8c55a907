"""The worker process of gunicorn, which rejects requests that it cannot answer soon.

gunicorn's threaded worker queues every connection that it accepts: when overloaded, every client waits. This worker
queues a limited number of requests. Separate threads reject the rest with 503 immediately, and still answer health
checks and metrics while the other threads wait for the database.

Modules of the project are imported inside the methods, because gunicorn imports this one before Django is set up.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from errno import ECONNABORTED, EWOULDBLOCK
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

# Maximum queue length per process. Working through it takes about 0.2 s for reads and 2 s for logins.
MAX_WAITING = 32
# A request that has waited longer than this is rejected, because the database or another service is slow.
MAX_WAITING_SECONDS = 3.0
REJECTING_THREADS = 4
# A connection on which no request arrives is closed.
IDLE_SECONDS = 10.0


class Worker(ThreadWorker):
    """A threaded worker with a bounded queue that closes its listener as soon as it is told to stop."""

    def init_process(self) -> None:
        """Create the thread pool that rejects requests."""
        self.active = 0
        self.rejecting_threads = ThreadPoolExecutor(REJECTING_THREADS, thread_name_prefix="rejecting")
        super().init_process()

    def accept(self, listener: Any) -> bool:
        """Accept a connection and return whether there was one. It gets a thread only when its request arrives."""
        try:
            client_socket, address = listener.accept()
        except OSError as error:
            if error.errno not in (EWOULDBLOCK, ECONNABORTED):
                raise
            return False
        self.nr_conns += 1
        connection = TConn(self.cfg, client_socket, address, listener.getsockname())
        connection.timeout = time.monotonic() + IDLE_SECONDS
        self.pending_conns.append(connection)
        self.poller.register(client_socket, EVENT_READ, partial(self.on_pending_socket_readable, connection))
        return True

    def enqueue_req(self, connection: TConn) -> None:
        """Queue the request of a connection, or have it rejected. Called by the main thread only."""
        queued = self.active < self.cfg.threads + MAX_WAITING
        self.active += queued
        threads = self.tpool if queued else self.rejecting_threads
        future = threads.submit(self._handle, connection, queued, time.monotonic())
        future.add_done_callback(partial(self.method_queue.defer, self._finish, connection, queued))

    def _handle(self, connection: TConn, queued: bool, received: float) -> Any:
        from core.observability import overload

        overload.set_overloaded(not queued or time.monotonic() - received > MAX_WAITING_SECONDS)
        reusable = self.handle(connection)
        if not (queued or reusable):
            # In the main thread a graceful close would block on the client.
            connection.close(graceful=True)
        return reusable

    def handle_request(self, request: Any, connection: TConn) -> Any:
        """Handle a request; do not wait for the body of one that is rejected."""
        from core.observability import overload

        if overload.is_overloaded() and request.method not in ("GET", "HEAD"):
            request.force_close()
        return super().handle_request(request, connection)

    def _finish(self, connection: TConn, queued: bool, future: Future[Any]) -> None:
        self.active -= queued
        self.finish_request(connection, future)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Close the listener when the worker stops, so that new callers are refused and not kept waiting.

        Connections that the system has already accepted are served.
        """
        super().set_accept_enabled(enabled)
        # The signal to stop may come while accepting is being enabled or disabled, which `run` then disables once more.
        if not (enabled or self.alive):
            while self.sockets:
                listener = self.sockets.pop()
                while self.accept(listener):
                    pass
                listener.close()
