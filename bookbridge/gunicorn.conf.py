"""Settings of the application server; script/server and the container image start gunicorn with this file.

HOST, PORT and WEB_CONCURRENCY come from the environment. Each worker has up to thirteen database connections, and as
many to each replica: one for each of its eight threads and of the four that reject requests (for metrics), and one for
tasks; /readyz opens another one for a moment. A reverse proxy in front protects the threads from slow clients.
"""

import ctypes
import gc
import os
import re
import resource
import runpy
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import gunicorn  # type: ignore[import-untyped]
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, OperationalError
from django.db.utils import load_backend

from bookbridge import env

BASE_DIR = Path(__file__).resolve().parent.parent

# As in wsgi.py, which is loaded later.
os.environ.setdefault("DB_TIMEOUT", "10")
try:
    # Names an invalid setting in one line. Not an import, because a reload in development must read the file again.
    settings = runpy.run_path(str(BASE_DIR / "bookbridge" / "settings.py"))
    debug, port = settings["DEBUG"], settings["PORT"]
    host = env.str_("HOST", "127.0.0.1").strip("[]")
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise env.invalid("HOST", "must be an address to listen on, such as 127.0.0.1 or 0.0.0.0")
    # One process in development, since its cache is in the memory of the process.
    workers = env.int_("WEB_CONCURRENCY", 1 if debug else 2, min_value=1, max_value=64)
except ImproperlyConfigured as error:
    sys.exit(str(error))

wsgi_app = "bookbridge.wsgi:application"
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
proc_name = "bookbridge"
worker_class = "bookbridge.server.Worker"
threads = 8
worker_connections = 1000
reload = debug
# Workers are forks of a process that has loaded the application, and share its memory.
preload_app = not debug

# A worker that does not respond for `timeout` seconds is replaced; on SIGTERM, active requests have `graceful_timeout`
# seconds to finish.
timeout = 60
graceful_timeout = 30
keepalive = 5
# Maximum number of bytes of an unread body to discard: twice the upload limit, because photos are often too large.
MAX_DRAIN_BYTES = 10_000_000

# Enough for a search of 255 percent-encoded letters.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# No X-Forwarded-Proto or SCRIPT_NAME is trusted here: the application uses TRUSTED_PROXIES for that.
forwarded_allow_ips = ""

accesslog = None  # the application writes one
errorlog = "-"
control_socket_disable = True
gunicorn.SERVER = "BookBridge"  # the Server header, without a version


def make_metrics_dir() -> Path:
    """Return the directory in which each worker keeps its metrics in files of its own; /metrics adds them up.

    In memory, because a process is killed if it writes to a mapped file on a full disk.
    """
    name = f"bookbridge-{os.getuid()}-{port}"
    for path in (Path("/dev/shm", name), BASE_DIR / "var" / "metrics" / str(port)):  # noqa: S108  checked below
        with suppress(OSError):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Another user may have created it.
            if path.lstat().st_uid == os.getuid() and path.is_dir() and not path.is_symlink():
                return path
    return Path(tempfile.mkdtemp(prefix="bookbridge-metrics-"))


metrics_dir = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or make_metrics_dir())
metrics_dir.mkdir(parents=True, exist_ok=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_dir)

# Most systems allow a process 1,024 open files at first, which are too few for the connections.
hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard_limit, 4096) if hard_limit > 0 else 4096, hard_limit))

# glibc keeps freed memory in an arena for each thread, after the first password hash also blocks of 19 MiB. Limit it to
# two arenas, and return large blocks to the system. Other C libraries have no mallopt.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
with suppress(AttributeError):
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_ARENA_MAX, 2)
    mallopt(M_MMAP_THRESHOLD, 256 * 1024)
    mallopt(M_TRIM_THRESHOLD, 256 * 1024)


# Needs the right to write, although it finds no row. The same as in core.observability.health, which needs the settings
# to be loaded.
WRITE_PROBE = "UPDATE django_migrations SET applied = applied WHERE id = 0"


def check_database() -> None:
    """Raise ImproperlyConfigured, naming the setting, if the database cannot be used. Does not load the application.

    A server that accepts no writes for a while, as during a failover, is left to /readyz.
    """
    config = env.database("DATABASE_URL", f"sqlite:///{BASE_DIR}/var/db.sqlite3", timeout=5)
    entry = {"TIME_ZONE": None, "CONN_MAX_AGE": 0, "AUTOCOMMIT": True, "TEST": {}, **config}
    connection = load_backend(config["ENGINE"]).DatabaseWrapper(entry, "start")
    try:
        with connection.wrap_database_errors:
            raw_connection = connection.get_new_connection(connection.get_connection_params())
    except OperationalError as error:
        raise ImproperlyConfigured(f"DATABASE_URL: the database cannot be reached: {error.args[-1]}") from None
    with closing(raw_connection), closing(raw_connection.cursor()) as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SELECT @@character_set_database")
            if (charset := cursor.fetchone()[0]) != "utf8mb4":
                raise ImproperlyConfigured(f"DATABASE_URL: the character set of the database is {charset}, not utf8mb4")
        try:
            with connection.wrap_database_errors:
                cursor.execute(WRITE_PROBE)
        except Error as error:
            if env.is_missing_table(error):
                raise ImproperlyConfigured("DATABASE_URL: the database has no tables; run manage.py migrate") from None
            if env.is_write_denied(error):
                raise ImproperlyConfigured("DATABASE_URL: the user has no right to write to the database") from None


def start_messages() -> list[str]:
    """Return what the server uses, and a warning for each setting that a production server should have."""
    database = settings["DATABASES"]["default"]
    place = f"{database['HOST']}/{database['NAME']}" if database.get("HOST") else database["NAME"]
    cache = "Redis" if settings["REDIS_URL"] else "in each process"
    messages = [f"BookBridge {settings['VERSION']}: database {place}, cache {cache}, tasks {settings['JOBS']}"]
    return messages if debug else messages + env.production_warnings()


def on_starting(server: Any) -> None:
    """Refuse to start without a usable database, and delete the metrics of the processes of the last run."""
    try:
        check_database()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    for message in start_messages():
        server.log.warning(message)
    delete_metrics()


def delete_metrics() -> None:
    """Delete the metrics of all processes."""
    for file in metrics_dir.glob("*.db"):
        file.unlink(missing_ok=True)


def on_exit(server: Any) -> None:
    """Release the memory of the metrics."""
    delete_metrics()


def freeze_memory() -> None:
    """Exclude all existing objects from garbage collection.

    They are never freed. Traversing them would take up to 0.1 s per collection and copy memory that workers share.
    """
    gc.collect()
    gc.freeze()


def when_ready(server: Any) -> None:
    """Load the rest of the application before the workers are forked.

    Django is imported here and in the other hooks, because gunicorn reads this file before the application is loaded.
    """
    from django.apps import apps
    from django.urls import get_resolver

    if apps.ready and preload_app:
        from core.release import code_digest

        get_resolver().url_patterns  # noqa: B018  imports all views
        code_digest()
        freeze_memory()


def post_worker_init(worker: Any) -> None:
    """Run tasks in this process, unless JOBS=worker."""
    from django.apps import apps
    from django.conf import settings

    freeze_memory()
    if apps.ready and settings.JOBS == "inline":  # in development the code may have failed to load
        from core.tasks import worker as tasks

        tasks.start()


def worker_exit(server: Any, worker: Any) -> None:
    """Let the current task finish, if that does not take long."""
    from django.apps import apps

    if apps.ready:
        from core.tasks import worker as tasks

        tasks.stop()


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """Discard the unread body of a rejected request; a client that is still sending would not see the response."""
    from core.observability.overload import is_overloaded

    remaining = 0 if is_overloaded() else MAX_DRAIN_BYTES
    with suppress(Exception):  # a broken connection or chunk
        while remaining > 0 and (chunk := request.body.read(65_536)):
            remaining -= len(chunk)


def child_exit(server: Any, worker: Any) -> None:
    """Remove a worker that has exited from the gauges; its counters stay in the totals."""
    from prometheus_client.multiprocess import mark_process_dead

    with suppress(OSError):
        mark_process_dead(worker.pid)
