"""Middleware: request id, logs, trailing slash, cache headers, CORS, replicas."""

import json
import logging
import os
import re

import pytest
from django.conf import settings
from django.urls import URLResolver
from django.urls.resolvers import RoutePattern

from bookbridge import urls
from core.api.routers import FirstSegmentResolver, by_first_segment
from core.db.replicas import ReplicaRouter
from core.observability.logging import ResilientWatchedFileHandler
from tests.core.logs import new_lines

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]

KEYS = {"time", "request_id", "trace_id", "user", "method", "path", "status", "ms", "bytes", "address"}


# --- X-Request-ID ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["abc", "7", "0af7651916cd43dd8448eb211c80319c", "a.b-c_d", "Root=1-67891233-abc", "x" * 128]
)
def test_valid_request_id_is_echoed(anonymous, given):
    response = anonymous.get("/api/v1/nothing/", HTTP_X_REQUEST_ID=given)
    assert response["X-Request-ID"] == given
    assert response.json()["request_id"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "x" * 129, "é", 'a"b', "a\nb", "a\r\nSet-Cookie: b", "<script>", "\x00", "{}"]
)
def test_invalid_request_id_is_replaced(anonymous, given):
    response = anonymous.get("/api/v1/nothing/", HTTP_X_REQUEST_ID=given)
    assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_request_without_an_id_gets_one(anonymous):
    assert (
        len({anonymous.get(path)["X-Request-ID"] for path in ("/api/v1/", "/api/v1/", "/healthz", "/admin/login/")})
        == 4
    )


# --- access.log ------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines():
    """A function that returns the lines that were added to the access log since the test began."""
    return new_lines("access.log")


def test_access_log_has_one_line_per_request(client_of, alice, anonymous, lines):
    response = client_of(alice).get("/api/v1/users/me/", HTTP_X_REQUEST_ID="mine-1")
    anonymous.post("/api/v1/nothing/", {}, REMOTE_ADDR="192.0.2.7")
    signed_in, unknown = lines()
    assert set(signed_in) == set(unknown) == KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(signed_in.pop("time")))
    assert 0 < signed_in.pop("ms") < 10_000
    assert re.fullmatch("[0-9a-f]{32}", str(signed_in.pop("trace_id")))
    assert signed_in == {
        "request_id": "mine-1",
        "user": alice.pk,
        "method": "GET",
        "path": "/api/v1/users/me/",
        "status": 200,
        "bytes": len(response.content),
        "address": "127.0.0.1",
    }
    assert (unknown["user"], unknown["method"], unknown["status"], unknown["address"]) == (
        None,
        "POST",
        404,
        "192.0.2.7",
    )


def test_access_log_has_every_kind_of_response(lenient, anonymous, lines, rate):
    lenient.get("/api/v1/probe/boom/")
    lenient.get("/api/v1/probe/bare/boom/")
    lenient.get("/api/v1/", HTTP_HOST="evil.example")
    lenient.post("/api/v1/auth/login/", b" " * 1_000_001, content_type="application/json")
    lenient.get("/healthz")
    lenient.get("/admin/")
    assert [line["status"] for line in lines()] == [500, 500, 400, 413, 200, 302]


def test_access_log_has_the_user_of_refused_requests(client_of, alice, lines, problem, rate):
    me = client_of(alice)
    problem(me.get("/api/v1/users/me/?x=1"), 400)
    problem(me.post("/api/v1/users/me/"), 405)
    rate("user", 1)
    me.get("/api/v1/users/me/")
    problem(me.get("/api/v1/users/me/"), 429)
    assert [line["user"] for line in lines()] == [alice.pk] * 4


def test_logs_have_no_query_token_or_password(client_of, alice, anonymous, lines):
    me = client_of(alice)
    me.get("/api/v1/users/?search=sesame")
    anonymous.post("/api/v1/auth/login/", {"username": "alice", "password": "sesame", "device": "sesame"})
    anonymous.post("/api/v1/auth/login/?password=sesame", {})
    me.post("/api/v1/auth/refresh/", {"refresh": "sesame"}, HTTP_IDEMPOTENCY_KEY="sesame", HTTP_COOKIE="a=sesame")
    written = "".join(path.read_text() for path in settings.LOG_DIR.iterdir())
    assert len(lines()) == 4
    for secret in ("sesame", "Bearer", me._credentials["HTTP_AUTHORIZATION"].split()[1]):
        assert secret not in written


def test_path_cannot_forge_a_log_line(anonymous, lines):
    anonymous.get('/api/v1/a%0A{"forged": 1}%0D%E2%80%A8%00')
    [line] = lines()
    assert line["path"] == '/api/v1/a\n{"forged": 1}\r\u2028\x00'


def test_app_log_has_frames_but_no_traceback_sql_or_path(lenient):
    path = settings.LOG_DIR / "app.log"
    start = path.stat().st_size if path.exists() else 0
    response = lenient.get("/api/v1/probe/boom/")
    lenient.get("/api/v1/probe/bare/boom/?token=sesame")
    lenient.get("/api/v1/probe/down/")
    lenient.get("/api/v1/probe/race/")
    with path.open() as log:
        log.seek(start)
        written = log.read()
    for word in ("sesame", "Traceback", "SELECT", "/srv", "site-packages", str(settings.BASE_DIR)):
        assert word not in written
    first = json.loads(written.splitlines()[0])
    assert first["request_id"] == response["X-Request-ID"]
    assert first["level"] == "ERROR"
    assert first["error"].startswith("RuntimeError")
    assert any(place.startswith("tests.core.views_for_tests.Boom.get:") for place in first["at"])
    assert "OperationalError 2002" in written
    assert "IntegrityError 1062" in written


@pytest.mark.parametrize("place", ["/dev/full", "/proc/nothing/access.log", "a file/access.log"])
def test_unwritable_log_fails_no_request(anonymous, tmp_path, monkeypatch, place, capsys):
    (tmp_path / "a file").touch()
    logger = logging.getLogger("bookbridge.access")
    handler = ResilientWatchedFileHandler(os.path.join(tmp_path, place))
    handler.setFormatter(logger.handlers[0].formatter)
    monkeypatch.setattr(logger, "handlers", [handler])
    for _ in range(3):
        assert anonymous.get("/api/v1/").status_code == 200
    said = capsys.readouterr().err
    assert said.count("access.log" if "access" in place else "full") == 1
    assert "Traceback" not in said


def test_moved_log_is_reopened(tmp_path):
    handler = ResilientWatchedFileHandler(str(tmp_path / "new" / "x.log"))
    record = logging.makeLogRecord({"msg": "line"})
    handler.emit(record)
    (tmp_path / "new" / "x.log").rename(tmp_path / "new" / "x.log.1")
    handler.emit(record)
    handler.close()
    assert [path.read_text() for path in sorted((tmp_path / "new").iterdir())] == ["line\n", "line\n"]


# --- Paths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_path_without_trailing_slash_is_served(client_of, alice, method):
    me = client_of(alice)
    for path in (
        "/api/v1/users/me",
        "/api/v1/users/alice",
        "/api/v1/auth/login",
        "/api/v1/books",
        "/api/v1/users",
        "/api/v1",
        "/api/docs",
    ):
        with_slash, without = getattr(me, method)(path + "/"), getattr(me, method)(path)
        assert without.status_code == with_slash.status_code
        assert without.status_code not in (301, 302, 307, 308)
        assert without.get("Allow") == with_slash.get("Allow")


def test_path_without_trailing_slash_receives_the_body(client_of, alice):
    me = client_of(alice)
    assert me.patch("/api/v1/users/me", {"bio": "kept"}).json()["bio"] == "kept"
    assert me.post("/api/v1/books", {"title": "T", "author": "A"}).status_code == 201
    assert me.post("/api/v1/auth/login", {"username": "alice", "password": "correct horse battery"}).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1//books", "/api/v1/books//", "/api/v1/users/me//"])
def test_unknown_path_without_trailing_slash_is_404(anonymous, problem, path):
    problem(anonymous.get(path), 404, "not_found")


# --- Caching ---------------------------------------------------------------------------------------------------------


def test_private_responses_are_marked_private(client_of, alice, anonymous):
    me = client_of(alice)
    responses = [
        me.get("/api/v1/users/me/"),
        me.get("/api/v1/books/"),
        me.get("/api/v1/nothing/"),
        me.patch("/api/v1/users/me/", {}),
        anonymous.post("/api/v1/auth/login/", {"username": "alice", "password": "correct horse battery"}),
        anonymous.get("/api/v1/books/", HTTP_AUTHORIZATION="Bearer nonsense"),
    ]
    assert [response["Cache-Control"] for response in responses] == ["private, no-cache"] * 6


def test_public_responses_may_be_shared(anonymous):
    response = anonymous.get("/api/v1/books/")
    assert response["Cache-Control"] == "public, no-cache"
    vary = {name.strip().lower() for name in response["Vary"].split(",")}
    assert {"authorization", "accept", "accept-language"} <= vary
    assert "Set-Cookie" not in response
    assert anonymous.get("/api/v1/users/me/")["Cache-Control"] == "no-store"


# --- Other origins ---------------------------------------------------------------------------------------------------

APP = "https://app.example.org"


@pytest.fixture
def allowed_app(settings):
    settings.CORS_ALLOWED_ORIGINS = [APP]


def test_no_origin_is_allowed_by_default(anonymous):
    assert settings.CORS_ALLOWED_ORIGINS == []
    assert "Access-Control-Allow-Origin" not in anonymous.get("/api/v1/", HTTP_ORIGIN=APP)


def test_allowed_origin_may_use_the_documented_headers(anonymous, allowed_app):
    response = anonymous.options(
        "/api/v1/books/",
        HTTP_ORIGIN=APP,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,idempotency-key",
    )
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == APP
    allowed = {name.strip() for name in response["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "traceparent"} <= allowed
    assert "x-request-id" in allowed
    assert "Access-Control-Allow-Credentials" not in response
    response = anonymous.get("/api/v1/", HTTP_ORIGIN=APP)
    assert response["Access-Control-Allow-Origin"] == APP
    exposed = {name.strip() for name in response["Access-Control-Expose-Headers"].split(",")}
    assert {"ETag", "Idempotency-Replayed", "Retry-After", "X-Request-ID"} <= exposed
    assert "origin" in response["Vary"].lower()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://app.example.org", APP + ".evil.example", "*", ""]
)
def test_other_origin_is_refused(anonymous, allowed_app, origin):
    assert "Access-Control-Allow-Origin" not in anonymous.get("/api/v1/", HTTP_ORIGIN=origin)


def test_allowed_origin_may_read_errors(lenient, allowed_app):
    for response in (lenient.get("/api/v1/probe/boom/", HTTP_ORIGIN=APP), lenient.get("/api/v1/x/", HTTP_ORIGIN=APP)):
        assert response["Access-Control-Allow-Origin"] == APP


# --- Replicas --------------------------------------------------------------------------------------------------------


def test_replica_is_used_for_anonymous_reads_only(anonymous, client_of, alice, monkeypatch):
    path = "/api/v1/probe/database/"
    # As settings.py does with REPLICA_URLS.
    *others, last = settings.MIDDLEWARE
    monkeypatch.setattr(settings, "MIDDLEWARE", [*others, "core.db.replicas.ReplicaReadsMiddleware", last])
    assert anonymous.get(path).json() == {"read": None, "write": "default"}
    me = client_of(alice)
    monkeypatch.setattr(settings, "REPLICAS", ["replica0"])
    monkeypatch.setattr(settings, "REPLICA_MAX_LAG", 0)  # there is no such database to ask for its lag
    assert anonymous.get(path).json() == {"read": "replica0", "write": "default"}
    assert anonymous.post(path).json() == {"read": None, "write": "default"}
    assert me.get(path).json() == {"read": None, "write": "default"}
    # The choice ends with its request.
    assert ReplicaRouter().db_for_read(type(alice)) is None
    assert ReplicaRouter().allow_migrate("replica0", "accounts") is False
    assert ReplicaRouter().allow_migrate("default", "accounts") is True


def test_lookup_by_segment_finds_what_django_finds():
    for pattern in by_first_segment(urls.api_v1)[0].url_patterns:
        for route in pattern.url_patterns if isinstance(pattern, URLResolver) else [pattern]:
            path = re.sub(r"<int:\w+>", "7", str(route.pattern))
            path = re.sub(r"<\w*:?\w+>", "word", path)
            found = FirstSegmentResolver(RoutePattern(""), urls.api_v1).resolve(path)
            expected = URLResolver(RoutePattern(""), urls.api_v1).resolve(path)
            assert (found.func, found.kwargs, found.route, found.url_name) == (
                expected.func,
                expected.kwargs,
                expected.route,
                expected.url_name,
            )
