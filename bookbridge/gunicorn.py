"""The application server's settings; script/server and the container image start gunicorn with this file.

HOST, PORT and WEB_CONCURRENCY come from the environment. Workers times threads is also the greatest number
of database connections that this server opens.
"""

import logging
import os
import re
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import gunicorn  # type: ignore[import-untyped]
from django.core.exceptions import ImproperlyConfigured

from bookbridge import env

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    debug = env.flag("DEBUG", False)
    host = env.text("HOST", "127.0.0.1").strip("[]")
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise env.refuse("HOST", "must be an address to listen on, such as 127.0.0.1 or 0.0.0.0")
    port = env.number("PORT", 8000, least=1, most=65535)
    # Development keeps its cache in the memory of the process, so one process it is.
    workers = env.number("WEB_CONCURRENCY", 1 if debug else 2, least=1, most=64)
except ImproperlyConfigured as error:
    sys.exit(str(error))

wsgi_app = "bookbridge.wsgi:application"
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
proc_name = "bookbridge"
worker_class = "gthread"
threads = 8
reload = debug

# A worker that has answered no request for `timeout` seconds is replaced; on SIGTERM, requests under way
# have `graceful_timeout` seconds to finish.
timeout = 60
graceful_timeout = 30
keepalive = 5
# Seconds in which nothing comes of a request that has begun, until its connection is closed.
stalled_timeout = 3
# Bytes of a refused body that are read; twice the largest upload, since photographs of telephones are often too large.
MOST_UNREAD = 10_000_000

# Longer ones are refused before the application sees them. A search of 255 percent-encoded letters fits.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# Nobody's X-Forwarded-Proto or SCRIPT_NAME is believed here: TRUSTED_PROXIES decides that, in the application.
forwarded_allow_ips = ""

accesslog = None  # the application writes one
errorlog = "-"
# A connection that stalled is no news, and gunicorn would print a traceback for it.
logging.getLogger("gunicorn.error").addFilter(lambda record: record.msg != "Socket error processing request.")
control_socket_disable = True
gunicorn.SERVER = "BookBridge"  # the Server header; no version for the curious

# Each worker counts for itself in files here, and /metrics adds them up.
metrics_dir = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(BASE_DIR / "var" / "metrics" / str(port))))


def when_ready(server: Any) -> None:
    """A client that says nothing takes no thread, and one that stops in the middle gives it back after a while.

    The sockets of connections inherit both from the listener. Against clients that are slow on purpose a proxy in
    front is what helps: it reads whole requests before it hands them on.
    """
    for listener in server.LISTENERS:
        if hasattr(socket, "TCP_DEFER_ACCEPT"):
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, stalled_timeout)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", stalled_timeout, 0))


def on_starting(server: Any) -> None:
    """Refuse to begin without a database, and begin with empty counters: the last run's belong to processes gone."""
    try:
        env.reach_database("DATABASE_URL", f"sqlite:///{BASE_DIR}/var/db.sqlite3")
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    metrics_dir.mkdir(parents=True, exist_ok=True)
    for kept in metrics_dir.glob("*.db"):
        kept.unlink()


def post_worker_init(worker: Any) -> None:
    """Do jobs in this process, unless processes of their own do (JOBS=worker)."""
    from django.apps import apps
    from django.conf import settings

    if apps.ready and settings.JOBS == "inline":  # not ready where the code does not load, in development
        from bookbridge.api.tasks import worker as tasks

        tasks.start()


def worker_exit(server: Any, worker: Any) -> None:
    """After the last request: let the job at hand come to its end, if that is near."""
    from django.apps import apps

    if apps.ready:
        from bookbridge.api.tasks import worker as tasks

        tasks.stop()


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """Read away the body of a request that was refused unread.

    gunicorn would read a little of it, and close the connection on a client that still sends and never sees the answer.
    """
    left = MOST_UNREAD
    with suppress(Exception):  # the client's connection, or its broken chunks
        while left > 0 and (piece := request.body.read(65_536)):
            left -= len(piece)


def child_exit(server: Any, worker: Any) -> None:
    """Take a worker that ended out of the gauges; its counters stay in the sums."""
    from prometheus_client.multiprocess import mark_process_dead

    with suppress(OSError):
        mark_process_dead(worker.pid)
