"""Health checks and metrics: /healthz, /readyz, /metrics."""

import datetime
import socket
import threading
import time
import tomllib
from contextlib import contextmanager, suppress

import pytest
from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from core import redis
from core.observability import health, metrics
from core.tasks.models import QueuedTask, TaskStatus

KEY = "metrics-token"


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.django_db
def test_health_checks_are_ok(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    cache = "ok" if settings.REDIS_URL else "none"
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "cache": cache}


@pytest.mark.django_db
def test_readyz_is_degraded_without_cache(client, monkeypatch):
    class Away:
        def set(self, *args, **kwargs):
            raise RedisDown("no")

    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr("django_redis.get_redis_connection", lambda alias: Away())
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "degraded", "database": "ok", "cache": "down"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("settings.DATABASES['default']['ENGINE'].endswith('sqlite3')", reason="SQLite has no port to close")
def test_readyz_fails_without_database(closed_port, monkeypatch):
    connection = connections["default"]
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", closed_port)
    client = Client(raise_request_exception=False)
    try:
        started = time.monotonic()
        assert client.get("/healthz").status_code == 200
        response = client.get("/readyz")
        assert response.status_code == 503
        reason = "OperationalError 2002"
        assert response.json() | {"cache": ""} == {
            **{"status": "down", "database": "down", "cache": "", "reason": reason},
        }
        assert int(response["Retry-After"]) >= 1
        for path, sent in (("/api/v1/books/", {}), ("/api/v1/users/me/", {"HTTP_AUTHORIZATION": "Bearer x"})):
            response = client.get(path, **sent)
            assert response.status_code in (503, 401)
            assert response["Content-Type"] == "application/problem+json"
        response = client.post("/api/v1/auth/login/", {"username": "a", "password": "b"}, "application/json")
        assert response.status_code == 503
        assert response.json()["code"] == "unavailable"
        assert int(response["Retry-After"]) >= 1
        assert time.monotonic() - started < 15
    finally:
        monkeypatch.undo()
        connection.close()
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_readyz_fails_before_migrations_are_applied(client, monkeypatch):
    newest = health.migrations_of_release() | {("clubs", "9999_next")}
    monkeypatch.setattr(health, "migrations_of_release", lambda: newest)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["reason"] == "1 migrations not applied"


@pytest.mark.django_db
def test_readyz_accepts_migrations_of_the_next_release(client):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)",
            ["clubs", "9999_next", timezone.now().replace(tzinfo=None)],
        )
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_readyz_has_the_release(client):
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert client.get("/readyz")["X-Release"].startswith(project["version"] + "+")


@contextmanager
def server_state(on: str, off: str):
    """Change the server of the tests for a moment."""
    with connections["default"].cursor() as cursor:
        cursor.execute(on)
        try:
            yield
        finally:
            cursor.execute(off)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("settings.DATABASES['default']['ENGINE'].endswith('sqlite3')", reason="SQLite has no users")
def test_readyz_fails_where_the_user_may_only_read(client, monkeypatch):
    told = connections["default"].settings_dict
    create = "CREATE USER bb_reader@'%%'", f"GRANT SELECT ON {told['NAME']}.* TO bb_reader@'%%'"
    with server_state(create[0], "DROP USER bb_reader@'%%'"):
        with connections["default"].cursor() as cursor:
            cursor.execute(create[1])
        with monkeypatch.context() as patch:
            patch.setitem(told, "USER", "bb_reader")
            response = client.get("/readyz")
    assert (response.status_code, response.json()["reason"]) == (503, "OperationalError 1142")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("settings.DATABASES['default']['ENGINE'].endswith('sqlite3')", reason="SQLite has no users")
def test_readyz_fails_on_a_read_only_server(client):
    with server_state("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"):
        response = client.get("/readyz")
    assert (response.status_code, response.json()["reason"]) == (503, "read-only")
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [5, -5])
def test_readyz_is_degraded_with_a_wrong_clock(client, monkeypatch, minutes):
    if connection.vendor != "mysql":
        pytest.skip("SQLite has no clock of its own")
    wrong = timezone.now() + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(health.timezone, "now", lambda: wrong)
    body = client.get("/readyz").json()
    assert body["status"] == "degraded"
    assert body["clock"].startswith("differs from the database by ")


@pytest.mark.django_db(transaction=True)
def test_readyz_is_degraded_while_tasks_are_overdue(client, monkeypatch):
    task = QueuedTask.objects.create(key="x", task_path="core.x", run_after=timezone.now())
    monkeypatch.setattr(settings, "JOBS", "worker")
    assert client.get("/readyz").json()["tasks"] == "ok"
    QueuedTask.objects.filter(pk=task.pk).update(run_after=timezone.now() - datetime.timedelta(minutes=6))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"], response.json()["tasks"]) == (200, "degraded", "overdue")


class Relay:
    """A proxy in front of the database that can be suspended: it then accepts connections but forwards nothing."""

    def __init__(self, host: str, port: int) -> None:
        self.server, self.flows = (host, port), threading.Event()
        self.flows.set()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._let_in, daemon=True).start()

    def _let_in(self) -> None:
        with suppress(OSError):
            while True:
                client = self.door.accept()[0]
                self.flows.wait()
                server = socket.create_connection(self.server)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._hand_on, args=ends, daemon=True).start()

    def _hand_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(65536):
                self.flows.wait()
                sink.sendall(data)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("settings.DATABASES['default']['ENGINE'].endswith('sqlite3')", reason="SQLite has no port")
def test_unresponsive_database_fails_requests_in_time(monkeypatch, alice, client_of):
    connection = connections["default"]
    told = connection.settings_dict
    client = client_of(alice)
    client.raise_request_exception = False
    connection.close()
    relay = Relay(told["HOST"] or "127.0.0.1", int(told["PORT"] or 3306))
    monkeypatch.setitem(told, "HOST", "127.0.0.1")
    monkeypatch.setitem(told, "PORT", relay.port)
    monkeypatch.setitem(told["OPTIONS"], "read_timeout", 2)
    try:
        assert client.get("/api/v1/users/me/").status_code == 200
        assert connection.connection is not None  # persistent
        relay.flows.clear()
        assert client.get("/readyz").json()["database"] == "down"
        for _kept_then_new in range(2):
            response = client.get("/api/v1/users/me/")
            assert (response.status_code, response.json()["code"]) == (503, "unavailable")
            close_old_connections()
        relay.flows.set()
        assert client.get("/readyz").json()["database"] == "ok"
        assert client.get("/api/v1/users/me/").status_code == 200
    finally:
        relay.flows.set()
        relay.door.close()
        monkeypatch.undo()
        connection.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"])
def test_other_method_is_405_without_csrf_token(path):
    response = Client(enforce_csrf_checks=True).post(path)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.8.8", "::ffff:127.0.0.1"])
def test_metrics_allow_loopback(client, address):
    response = client.get("/metrics", REMOTE_ADDR=address)
    assert response.status_code == 200
    assert b"bookbridge_requests_total" in response.content


@pytest.mark.django_db
def test_metrics_show_the_queue_the_circuits_and_the_release(client):
    minute_ago = timezone.now() - datetime.timedelta(minutes=1)
    for n, status in enumerate((TaskStatus.READY, TaskStatus.READY, TaskStatus.FAILED, TaskStatus.SUCCESSFUL)):
        QueuedTask.objects.create(key=str(n), task_path="core.x", run_after=minute_ago, status=status)
    text = client.get("/metrics").content.decode()
    assert 'bookbridge_tasks_waiting{task="core.x"} 2.0' in text
    assert 'bookbridge_tasks_failed{task="core.x"} 1.0' in text
    oldest = text.split('bookbridge_tasks_oldest_seconds{task="core.x"} ')[1].split()[0]
    assert 59 < float(oldest) < 120
    assert 'bookbridge_circuit_open{service="redis"} 0.0' in text
    assert 'bookbridge_build_info{digest="' in text
    assert f'version="{settings.VERSION}"' in text
    assert "bookbridge_db_retries_total" in text


@pytest.mark.django_db
def test_circuit_is_open_in_the_metrics_until_a_call_succeeds(client, monkeypatch):
    """Also between the end of the wait and the next call, so that an alert does not end and begin again."""
    monkeypatch.setattr(redis.breaker, "open_until", time.monotonic() - 1)
    assert 'bookbridge_circuit_open{service="redis"} 1.0' in client.get("/metrics").content.decode()
    redis.breaker.reset()
    assert 'bookbridge_circuit_open{service="redis"} 0.0' in client.get("/metrics").content.decode()


@pytest.mark.django_db
def test_metrics_show_the_errors_of_tasks_that_are_tried_again(client):
    ready = [("a", "MailServerUnavailableError"), ("b", "MailServerUnavailableError"), ("c", "KeyError"), ("d", "")]
    for key, error in ready:
        QueuedTask.objects.create(key=key, task_path="core.x", run_after=timezone.now(), error=error)
    done = {"status": TaskStatus.FAILED, "error": "KeyError"}
    QueuedTask.objects.create(key="e", task_path="core.x", run_after=timezone.now(), **done)
    lines = client.get("/metrics").content.decode().splitlines()
    assert [line for line in lines if line.startswith("bookbridge_tasks_retrying{")] == [
        'bookbridge_tasks_retrying{error="KeyError",task="core.x"} 1.0',
        'bookbridge_tasks_retrying{error="MailServerUnavailableError",task="core.x"} 2.0',
    ]


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "", "nonsense", "2001:db8::1", "0.0.0.0"])
def test_metrics_refuse_other_addresses(client, address):
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_metrics_refuse_requests_through_a_local_proxy(client, header):
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_metrics_refuse_requests_through_a_trusted_proxy(client, monkeypatch):
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", 1)
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403


@pytest.mark.django_db
def test_metrics_allow_the_token(client, monkeypatch):
    def ask(header: str) -> int:
        return client.get("/metrics", REMOTE_ADDR="192.0.2.1", headers={"Authorization": header}).status_code

    assert [ask(""), ask("Bearer "), ask("Bearer None")] == [403, 403, 403]
    monkeypatch.setattr(settings, "METRICS_TOKEN", KEY)
    assert ask(f"Bearer {KEY}") == 200
    assert [ask(KEY), ask(f"Bearer {KEY}x"), ask("Bearer "), ask("Bearer é")] == [403, 403, 403, 403]


@pytest.mark.django_db
def test_metrics_count_routes_not_paths(client):
    for name in ("a", "b", "c"):
        client.get(f"/api/v1/books/{name}-not-there/")
        client.get(f"/api/v1/users/{name}-not-there/")
        client.generic(f"X{name}", "/healthz")
    text = client.get("/metrics").content.decode()
    assert "not-there" not in text
    assert 'method="Xa"' not in text
    assert 'route="api/v1/users/<str:username>/"' in text
    assert metrics.REQUESTS
